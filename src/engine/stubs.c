#pragma GCC diagnostic ignored "-Wmissing-prototypes"
#include "engine/perform/perform.h"
#include "engine/inject.h"
#include <stdlib.h>
struct performer *performer_new(void){return NULL;}
void performer_free(struct performer *p){(void)p;}
bool perform_knows(const struct call *c){(void)c;return getenv("IDW_P")!=NULL && (c->groups&1)!=0;}
enum performing perform(struct performer *pf, struct idw_event *ev, struct performed *p){(void)pf;(void)ev;(void)p;return PERFORM_IN_TARGET;}
int perform_give(struct idw_event *ev){(void)ev;return 0;}
void performed_clear(struct performed *p){(void)p;}
struct pin_area *pin_area_new(struct err *e){(void)e;return NULL;}
struct pin_area *pin_area_ref(struct pin_area *a){return a;}
void pin_area_unref(struct pin_area *a){(void)a;}
int pin_area_fd(const struct pin_area *a){(void)a;return -1;}
void pin_area_mapped(struct pin_area *a, uint64_t x){(void)a;(void)x;}
uint64_t pin_area_address(const struct pin_area *a){(void)a;return 0;}
bool pin_wanted(const struct idw_event *ev){(void)ev;return false;}
bool pin_same_memory(pid_t a, pid_t b){(void)a;(void)b;return false;}
int pin_arguments(struct pin *p, struct pin_area *a, const struct idw_event *ev, uint64_t regs[6], uint8_t *changed){(void)p;(void)a;(void)ev;(void)regs;(void)changed;return 0;}
void pin_release(struct pin *p){(void)p;}
int inject_area(struct injection *in, pid_t tid, struct passes *passes, struct pin_area *area){(void)in;(void)tid;(void)passes;(void)area;return 0;}
enum inject_next inject_stop(struct injection *in, int status){(void)in;(void)status;return INJECT_FAILED;}
