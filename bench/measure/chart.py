"""The chart: the distance of every figure from its target, then one panel per section.

In the first panel 1 is the target and right is better, so that figures of all
units fit on one scale.  The others show ratios of interleaved rounds (bar:
median, line: range), or absolute figures if a section has no ratios, and the
throughput in each second while a snapshot is held.
"""
from dataclasses import dataclass, field

import matplotlib
matplotlib.use('Agg')
import matplotlib.pyplot as plt                     # noqa: E402
from matplotlib.lines import Line2D                 # noqa: E402
from matplotlib.ticker import LogLocator            # noqa: E402

from measure.report import number                   # noqa: E402

MET, NOT_MET, PLAIN, INK = '#2a7f62', '#c8553d', '#5b7db1', '#222222'
GREY = '#666666'
SERIES = ('#5b7db1', '#c8553d', '#8fb0a2', '#b08a2e', '#7a5fa0', '#444444')
ROW, EDGE, HEAD = 0.25, 0.85, 0.7                   # inches
WIDTH, LEFT, BARS = 11.5, 0.44, 0.39                # inches, shares of it
UNITS = {'runs': '/s', 'latency': 'ms', 'peers': '/s'}


@dataclass
class Row:
    """A bar; without a value it is the heading of the bars below it."""
    label: str
    value: float | None = None
    text: str = ''
    low: float | None = None
    high: float | None = None
    target: float | None = None
    color: str = PLAIN


@dataclass
class Panel:
    """Bars starting at `base` (None: at the left edge), or lines over time."""
    title: str
    rows: list = field(default_factory=list)
    base: float | None = None
    lines: dict = field(default_factory=dict)

    @property
    def height(self):
        return EDGE + (2.2 if self.lines else len(self.rows) * ROW)


def draw(path, about, sections):
    """Writes the chart as SVG and as PNG."""
    panels = [targets(sections)]
    for name, title, results in sections:
        panels += section(name, title, results)
    panels = [panel for panel in panels if panel.rows or panel.lines]
    if not panels:
        return
    plt.rcParams.update({'font.family': 'sans-serif', 'font.size': 8.5,
                         'svg.fonttype': 'none', 'svg.hashsalt': 'bench'})
    total = HEAD + sum(panel.height for panel in panels)
    figure = plt.figure(figsize=(WIDTH, total))
    top = total - HEAD
    for panel in panels:
        axes = figure.add_axes((
            LEFT if panel.rows else 0.07, (top - panel.height + 0.45) / total,
            BARS if panel.rows else 0.62, (panel.height - EDGE) / total))
        figure.text(0.02, (top - 0.22) / total, panel.title, fontsize=11,
                    weight='bold', va='center', color=INK)
        (bars if panel.rows else lines)(axes, panel)
        top -= panel.height
    heading(figure, about, total)
    figure.savefig(path, metadata={'Date': None})
    figure.savefig(path.replace('.svg', '.png'), dpi=100)


def heading(figure, about, total):
    figure.text(0.02, 1 - 0.25 / total, 'durable_singleton', fontsize=15,
                weight='bold', va='center', color=INK)
    size = 'quick run, small sizes' if about['quick'] else 'full run'
    figure.text(0.02, 1 - 0.52 / total, va='center', color=GREY, s=(
        f"{about['durable_singleton']} · {about['server']} ·"
        f" {about['cores']} cores, {about['cpu']} · {size},"
        f" {about['rounds']} interleaved rounds"))
    handles = [Line2D([], [], color=color, linewidth=7, label=label)
               for color, label in ((MET, 'target met'), (NOT_MET, 'not met'),
                                    (PLAIN, 'no target'))]
    handles.append(Line2D([], [], color=INK, linestyle=':', label='target'))
    handles.append(Line2D([], [], color=INK, linewidth=1, label='range'))
    figure.legend(handles=handles, loc='upper right', ncol=5, frameon=False,
                  bbox_to_anchor=(0.99, 1 - 0.1 / total))


# --- content -----------------------------------------------------------

def targets(sections):
    """The ratio of each figure to its target; above 1 is better."""
    panel = Panel('All targets: how many times as good as demanded', base=1)
    for name, _, results in sections:
        judged = [result for result in results if result.met is not None]
        if judged:
            panel.rows.append(Row(name))
        for result in judged:
            sign, wanted = result.target.split()
            wanted = float(wanted)
            # A figure near zero would stretch the scale without limit.
            share = min(20, result.value / wanted if sign == '>='
                        else wanted / max(result.value, wanted / 20))
            unit = {'x': ' ×', '': ''}.get(result.unit, ' ' + result.unit)
            sign = '≥' if sign == '>=' else '≤'
            panel.rows.append(Row(
                f'{result.group}: {result.name}', share,
                f'{number(result.value)}{unit}  (target {sign} '
                f'{wanted:,g})', target=1, color=color_of(result)))
    return panel


def color_of(result):
    return {None: PLAIN, True: MET, False: NOT_MET}[result.met]


def section(name, title, results):
    """The panels of a section: ratios, absolute figures, lines over time."""
    yield grouped(f'{name}: ratios of interleaved rounds', 1,
                  [result for result in results if result.unit == 'x'])
    unit = UNITS.get(name)
    if unit:
        # p99.9 of a few hundred samples is not worth drawing.
        yield grouped(f'{name}: {title} ({unit})', None,
                      [result for result in results if result.unit == unit
                       and not result.name.endswith('p99.9')])
    yield Panel(f'{name}: runs per second, second by second', lines={
        result.group: result.details['per_second'] for result in results
        if 'per_second' in result.details})


def grouped(title, base, results):
    panel, group = Panel(title, base=base), None
    for result in results:
        if not result.value or result.value < 0:
            continue
        if result.group != group:
            group = result.group
            panel.rows.append(Row(group))
        several = len(result.values) > 1
        panel.rows.append(Row(
            result.name, result.value, number(result.value),
            result.low if several else None, result.high if several else None,
            float(result.target.split()[1]) if result.target else None,
            color_of(result)))
    return panel


# --- drawing ---------------------------------------------------------

def bars(axes, panel):
    shown = [number for row in panel.rows if row.value
             for number in (row.value, row.low, row.high, row.target)
             if number and number > 0]
    floor = max(min(shown + [panel.base or max(shown)]) / 1.5,
                max(shown) / 1e5)
    base = panel.base or floor
    for place, row in enumerate(panel.rows):
        if row.value is None:
            axes.annotate(row.label, (0.02, place), va='center', color=GREY,
                          weight='bold', annotation_clip=False,
                          xycoords=('figure fraction', 'data'))
            continue
        axes.barh(place, max(row.value, floor) - base, left=base, height=0.64,
                  color=row.color, zorder=2)
        if row.low is not None:
            axes.plot((max(row.low, floor), max(row.high, floor)),
                      (place, place), color=INK, linewidth=1, zorder=4)
        if row.target is not None:
            axes.plot((row.target, row.target), (place - 0.45, place + 0.45),
                      color=INK, linestyle=':', linewidth=1.4, zorder=5)
        axes.annotate(row.label, (0, place), (-6, 0), va='center', ha='right',
                      xycoords=axes.get_yaxis_transform(), color=INK,
                      textcoords='offset points', annotation_clip=False)
        axes.annotate(row.text, (1, place), (6, 0), va='center',
                      color=INK if row.color == PLAIN else row.color,
                      xycoords=axes.get_yaxis_transform(),
                      textcoords='offset points', annotation_clip=False)
    axes.set_xscale('log')
    axes.set_xlim(floor, max(shown + [base]) * 1.2)
    narrow = max(shown) / floor < 60
    axes.xaxis.set_major_locator(LogLocator(
        subs=(1, 2, 5) if narrow else (1,)))
    axes.set_ylim(len(panel.rows) - 0.5, -0.5)
    axes.set_yticks([])
    if panel.base:
        axes.axvline(base, color='#888888', linewidth=0.8, zorder=3)
    axes.grid(axis='x', color='#dddddd', linewidth=0.6, zorder=0)
    plain(axes)
    axes.xaxis.set_major_formatter(lambda value, _: f'{value:,g}')
    axes.xaxis.set_minor_formatter(lambda value, _: '')


def lines(axes, panel):
    for color, (label, values) in zip(SERIES * 3, panel.lines.items()):
        axes.plot(range(1, len(values) + 1), values, color=color, label=label,
                  linewidth=1.4)
    axes.set_ylim(0)
    axes.set_xlabel('seconds', color=GREY)
    axes.grid(color='#dddddd', linewidth=0.6)
    axes.yaxis.set_major_formatter(lambda value, _: f'{value:,.0f}')
    axes.legend(loc='center left', bbox_to_anchor=(1.01, 0.5), frameon=False)
    plain(axes)


def plain(axes):
    axes.tick_params(length=0, which='both')
    for side in axes.spines.values():
        side.set_visible(False)
