/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Inside src/wss: the parts of clauses that went to a filter, which must outlive it. */
#ifndef IDW_WSS_ROUTE_H
#define IDW_WSS_ROUTE_H

struct part;

void route_free(struct part *parts);

#endif
