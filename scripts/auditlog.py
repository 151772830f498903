# SPDX-License-Identifier: LGPL-2.1-or-later
"""Reading the audit records of idwrun (src/audit/audit.h): JSON, one record a line."""
import json


def read_records(path):
    """All records in the file `path`; none when it isn't there, since nobody had anything to say."""
    try:
        with open(path, encoding="utf-8") as f:
            return [json.loads(line) for line in f if line.strip()]
    except FileNotFoundError:
        return []


def violations(records):
    """Those that say that a specification was violated."""
    return [r for r in records if r.get("event") == "violation"]


def summary(record):
    """One violation in one line."""
    subject, params = record.get("subject", {}), record.get("params", {})
    return (f"{record.get('wrapper')}: {params.get('rule')} {params.get('object')}, "
            f"pid {subject.get('pid')} ({subject.get('program')}), verdict: {record.get('verdict')}")
