"""The results of sections (Result), and their output: as a table on the terminal
and as JSON.  chart.py creates the chart.
"""
import json
from dataclasses import asdict, dataclass, field

from measure.rounds import Figure


@dataclass
class Result:
    """One figure.

    group     its group in the table and the chart, such as "8 clients"
    name      what was measured, or the contender
    value     the figure (for rounds, the median); None if not available
    unit      "x" is a ratio; otherwise "/s", "ms", "bytes", ...
    low, high range over the rounds
    target    such as ">= 0.8" or "<= 5"; empty without one
    note      an important remark, or why there is no figure
    details   anything else for the JSON file
    """
    group: str
    name: str
    value: float | None
    unit: str
    low: float | None = None
    high: float | None = None
    target: str = ''
    note: str = ''
    values: list = field(default_factory=list)
    details: dict = field(default_factory=dict)
    section: str = ''                           # filled in by the program

    @property
    def met(self):
        """True or False, or None if there is no target or no figure."""
        if not self.target or self.value is None:
            return None
        sign, number = self.target.split()
        number = float(number)
        return self.value >= number if sign == '>=' else self.value <= number


def of_rounds(group, name, figure: Figure, unit, target='', note='', **details):
    """A Result from a figure of interleaved rounds."""
    return Result(group, name, figure.median, unit, figure.low, figure.high,
                  target, note, list(figure.values), details)


def missing(group, name, why, unit='', target=''):
    """A Result for a figure that could not be measured."""
    return Result(group, name, None, unit, target=target, note=why)


def number(value):
    if value is None:
        return '–'
    size = abs(value)
    if size >= 100:
        return f'{value:,.0f}'
    if size >= 10:
        return f'{value:.1f}'
    if size == 0:
        return '0'
    return f'{value:.2f}' if size >= 0.1 else f'{value:.3f}'


def shown(result):
    if result.value is None:
        return '–'
    unit = '×' if result.unit == 'x' else result.unit
    return f'{number(result.value)} {unit}'


def span(result):
    if result.low is None or len(result.values) < 2:
        return ''
    return f'{number(result.low)} … {number(result.high)}'


def verdict(result):
    if not result.target:
        return ''
    return {True: 'met', False: 'NOT MET', None: 'no figure'}[result.met]


HEAD = ('what', 'figure', 'min … max', 'target', '')


def table(results):
    """The lines of a section's table."""
    rows = [HEAD]
    group = None
    for result in results:
        if result.group != group:
            group = result.group
            rows.append((group,))
        target = result.target.replace('>=', '≥').replace('<=', '≤')
        rows.append(('  ' + result.name, shown(result), span(result), target,
                     verdict(result), result.note))
    full = [row for row in rows if len(row) > 1]
    widths = [max(len(row[i]) for row in full) for i in range(5)]
    for row in rows:
        if len(row) == 1:
            yield row[0]
            continue
        cells = [row[0].ljust(widths[0])]
        cells += [row[i].rjust(widths[i]) for i in (1, 2, 3)]
        cells.append(row[4].ljust(widths[4]))
        yield '  '.join(cells + list(row[5:])).rstrip()


def summary(results):
    """The last line: the number of targets, and of those that are met."""
    judged = [result for result in results if result.target]
    met = sum(1 for result in judged if result.met)
    line = f'{met} of {len(judged)} targets met'
    without = sum(1 for result in judged if result.met is None)
    return line + (f', {without} without a figure' if without else '')


def write_json(path, about, sections):
    """about: versions and settings; sections: [(name, title, results)]."""
    document = dict(about, sections=[
        {'name': name, 'title': title,
         'results': [dict(asdict(result), met=result.met)
                     for result in results]}
        for name, title, results in sections])
    with open(path, 'w') as file:
        json.dump(document, file, indent=1, ensure_ascii=False)
        file.write('\n')
