"""The table of attempts: who was let in, and who was refused."""

import clients

ALLOWED, REFUSED = [], []


def way(name, rows=ALLOWED):
    """Marks an attempt that must succeed. It gives what happened, whether that is what
    must happen, and the evidence."""
    return lambda attempt: rows.append((name, attempt))


def must_be_refused(name):
    """Marks an attempt that must fail."""
    return way(name, REFUSED)


def tried():
    """Makes every attempt, prints the table, and gives how many went wrong."""
    wrong = 0
    for title, rows in (("Let in", ALLOWED), ("Refused", REFUSED)):
        print(f"\n{title + ', by' if rows is ALLOWED else title:<42}{'what happened':<16}evidence", flush=True)
        for name, attempt in rows:
            try:
                happened, right, evidence = attempt()
            except (clients.Failed, OSError, KeyError, ValueError) as error:
                happened, right, evidence = "failed", False, str(error)
            wrong += not right
            print(f"{'✔' if right else '✘'} {name:<40}{happened:<16}{evidence}", flush=True)
    count = len(ALLOWED) + len(REFUSED)
    print(f"\n{count - wrong} of {count} as they must be.", flush=True)
    return wrong
