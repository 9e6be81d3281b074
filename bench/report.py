"""What was measured, for people and for programs."""

import json
import os
import platform
import statistics
import time
from dataclasses import dataclass, field

CLOSING = """\
Ratios are what counts: both sides ran in turn on this machine, with the load generator
beside them, so the figures themselves say little about another machine."""


@dataclass
class Result:
    """A row: one number a pair for each side."""

    key: str
    work: str
    peer: str
    unit: str
    wanted: str
    at_least: float | None = None
    at_most: float | None = None
    note: str = ""
    ours: list = field(default_factory=list)
    theirs: list = field(default_factory=list)
    our_errors: int = 0
    their_errors: int = 0
    details: list = field(default_factory=list)

    @property
    def figure(self):
        """The median of the pairs' ratios; where there is no peer, of our own numbers."""
        if not self.theirs:
            return statistics.median(self.ours)
        return statistics.median(ours / theirs for ours, theirs in zip(self.ours, self.theirs))

    @property
    def reached(self):
        if self.at_least is not None:
            return self.figure >= self.at_least
        return self.figure <= self.at_most

    def cells(self):
        ours = f"{statistics.median(self.ours):,.0f}{self.unit}"
        theirs = f"{self.peer} {statistics.median(self.theirs):,.0f}{self.unit}" if self.theirs else self.peer
        figure = f"{self.figure:.2f} × of {len(self.ours)}" if self.theirs else f"{self.figure / 1024:.1f} KB"
        wanted = f"{self.wanted} {'reached' if self.reached else 'MISSED'}"
        errors = f"{self.our_errors} / {self.their_errors}" if self.theirs else str(self.our_errors)
        return [self.work, ours, theirs, figure, wanted, errors]


def table(results):
    heads = ["work", "Doorward", "peer", "ratio (median of pairs)", "wanted", "errors"]
    rows = [heads] + [result.cells() for result in results]
    widths = [max(len(row[column]) for row in rows) for column in range(len(heads))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    lines.insert(1, "  ".join("─" * width for width in widths))
    return "\n".join(lines)


def write(path, results, surroundings):
    path.parent.mkdir(parents=True, exist_ok=True)
    whole = {
        "measured_at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"cores": os.cpu_count(), "kernel": platform.release()},
        **surroundings,
        "rows": [vars(result) | {"figure": result.figure, "reached": result.reached} for result in results],
    }
    path.write_text(json.dumps(whole, indent=2) + "\n")
