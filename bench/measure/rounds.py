"""Interleaved rounds, and the arithmetic of their figures.

A shared machine changes its speed within minutes, so figures taken one after
another cannot be compared.  Here every round runs all contenders one after
another, in an order that changes from round to round; a ratio is computed within
each round, and the figure is the median of the rounds' ratios.
"""
import statistics
from dataclasses import dataclass, field


def median(values):
    return statistics.median(values)


def percentile(values, percent):
    """The smallest value that `percent` percent of the values do not exceed."""
    ordered = sorted(values)
    place = -(-len(ordered) * percent // 100)          # rounded up
    return ordered[max(0, min(len(ordered), int(place)) - 1)]


@dataclass
class Figure:
    """The median of values with their range."""
    values: list = field(default_factory=list)

    @property
    def median(self):
        return median(self.values)

    @property
    def low(self):
        return min(self.values)

    @property
    def high(self):
        return max(self.values)


class Rounds:
    """The result of interleave(): values[contender] has one value per round."""

    def __init__(self, names):
        self.values = {name: [] for name in names}

    def figure(self, name):
        return Figure(self.values[name])

    def ratio(self, name, base):
        """The figure of name / base, computed for each round."""
        return Figure([a / b for a, b in
                       zip(self.values[name], self.values[base])])


def order(names, turn):
    """A different order for each round: rotated, and every second one reversed."""
    names = list(names)
    shift = turn // 2 % len(names)
    rotated = names[shift:] + names[:shift]
    return rotated[::-1] if turn % 2 else rotated


def interleave(contenders, rounds, before=None):
    """Runs {name: function(turn) -> number} in interleaved rounds.

    before(name) is called before each run and is not part of the measurement
    (a function measures itself and returns a rate or a duration).
    """
    result = Rounds(contenders)
    for turn in range(rounds):
        for name in order(contenders, turn):
            if before is not None:
                before(name)
            result.values[name].append(contenders[name](turn))
    return result
