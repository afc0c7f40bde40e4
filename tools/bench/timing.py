"""Timing in turns: every candidate of a row takes its turn in every round, so
that what the machine does meanwhile happens to all of them. What is reported is
the median over rounds of the ratio to the first candidate, which is ours."""

import random
import statistics
import time


class Candidate:
    """step() does one step; wait() returns when it is done; values() is a list
    of arrays: the parameters as they are."""

    def __init__(self, name, step, values, wait=None):
        self.name, self.step, self.values = name, step, values
        self.wait = wait or (lambda: None)
        self.repeats = 1
        self.seconds = []

    def burst(self):
        """Seconds a step, over `repeats` steps."""
        begin = time.perf_counter()
        for _ in range(self.repeats):
            self.step()
        self.wait()
        return (time.perf_counter() - begin) / self.repeats


def calibrate(candidates, turn):
    for candidate in candidates:
        candidate.burst()
        once = candidate.burst()
        candidate.repeats = max(1, min(10_000, round(turn / max(once, 1e-7))))


def measure(candidates, rounds, turn=0.03):
    """Fills `seconds` of each candidate. The order of a round is random, and a
    turn begins with a step that does not count: threads of the one before may
    still be spinning, and its pages on their way back."""
    calibrate(candidates, turn)
    order = random.Random(rounds)
    for _ in range(rounds):
        for candidate in order.sample(candidates, len(candidates)):
            candidate.step()
            candidate.wait()
            candidate.seconds.append(candidate.burst())


def ratio(candidate, reference):
    """How many times as long as the reference it takes."""
    return statistics.median(
        a / b for a, b in zip(candidate.seconds, reference.seconds))


def duration(seconds):
    for unit, size in (("s", 1), ("ms", 1e-3)):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds / 1e-6:.3g} us"


def table(header, rows):
    """A Markdown table with aligned columns."""
    rows = [header, ["-" * len(cell) for cell in header]] + rows
    widths = [max(len(row[i]) for row in rows) for i in range(len(header))]
    for number, row in enumerate(rows):
        fill = "-" if number == 1 else " "
        cells = [cell.ljust(width, fill) if i == 0 or number == 1
                 else cell.rjust(width)
                 for i, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |")
    print(flush=True)


def report(title, candidates, elements, bytes_each):
    """Prints a row's table; returns it as data. bytes_each: the fewest bytes a
    parameter that the rule can move."""
    ours, rows, data = candidates[0], [], []
    for one in candidates:
        median = statistics.median(one.seconds)
        times = ratio(one, ours)
        rate = bytes_each * elements / median / 1e9
        rows.append([one.name, duration(median), f"{rate:.1f}",
                     "1" if one is ours else f"{times:.2f}"])
        data.append({"row": title, "name": one.name, "seconds": median,
                     "times_ours": times, "rounds": len(one.seconds)})
    print(f"{title} ({elements:,} parameters, {bytes_each} bytes each)\n")
    table(["who", "a step", "GB/s", "times ours"], rows)
    return data
