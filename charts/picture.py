"""Draws the panels of a dashboard from what their queries returned, on the dashboard's own grid."""

import datetime
import math

import matplotlib
import numpy
from PIL import Image

matplotlib.use("Agg")
from matplotlib import dates, pyplot, ticker  # noqa: E402

# pixels of a column and a row of the grid, 24 columns wide
COLUMN, ROW, MARGIN = 60, 34, 40
COLOURS = ["#3274d9", "#e0752d", "#56a64b", "#e02f44", "#8f3bb8", "#d6a11e", "#1f9e9e", "#6b7280", "#c15c9f", "#8c6d46"]
INK, PALE, FRAME = "#24292e", "#6a737d", "#d8dbe0"
UNITS = {
    "short": (1, ""),
    "reqps": (1, "/s"),
    "s": (1, "s"),
    "ms": (1e-3, "s"),
}


def amount(value, unit):
    """A number as the panel's unit has it."""
    factor, word = UNITS[unit]
    value *= factor
    if word == "s":
        for size, name in ((86400, "d"), (3600, "h"), (60, "min"), (1, "s"), (1e-3, "ms"), (1e-6, "µs")):
            if abs(value) >= size:
                return f"{value / size:.3g} {name}"
        return "0 s"
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}{' ' + word if word else ''}"


def draw(dashboard, shown, path, title):
    """Writes a picture of all panels; `shown` has legend, times and values of each series by panel."""
    times = [at for series in shown.values() for _, times, _ in series for at in times]
    begin, last = (datetime.datetime.fromtimestamp(at, datetime.UTC) for at in (min(times), max(times)))
    panels = dashboard["panels"]
    columns = max(panel["gridPos"]["x"] + panel["gridPos"]["w"] for panel in panels)
    rows = max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in panels)
    width, height = columns * COLUMN, rows * ROW + MARGIN
    pyplot.rcParams.update({"font.size": 7.5, "font.family": "DejaVu Sans", "text.color": INK, "axes.edgecolor": FRAME})
    pyplot.rcParams.update({"xtick.color": PALE, "ytick.color": PALE, "axes.labelcolor": PALE, "lines.linewidth": 1.3})
    figure = pyplot.figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white")
    figure.text(10 / width, 1 - MARGIN / 2 / height, title, fontsize=11, fontweight="bold", va="center")
    for panel in panels:
        grid = panel["gridPos"]
        left, top = grid["x"] * COLUMN, MARGIN + grid["y"] * ROW
        box = (left, top, grid["w"] * COLUMN, grid["h"] * ROW)
        if panel["type"] == "row":
            figure.text((left + 10) / width, 1 - (top + ROW * 0.6) / height, panel["title"], fontsize=10, fontweight="bold", va="center")
            continue
        frame(figure, panel["title"], box, (width, height))
        if panel["type"] == "stat":
            stat(figure, panel, shown[panel["id"]], box, (width, height))
        else:
            axes = lines(figure, panel, shown[panel["id"]], box, (width, height))
            axes.set_xlim(begin, last)
            axes.xaxis.set_major_locator(dates.MinuteLocator() if (last - begin).seconds > 100 else dates.SecondLocator(bysecond=range(0, 60, 15)))
            axes.xaxis.set_major_formatter(dates.DateFormatter("%H:%M:%S"))
    figure.canvas.draw()
    picture = Image.fromarray(numpy.asarray(figure.canvas.buffer_rgba())).convert("RGB")
    # a few colours are all there are
    picture.quantize(255, dither=Image.Dither.NONE).save(path, optimize=True)
    pyplot.close(figure)


def frame(figure, title, box, size):
    left, top, across, down = box
    place = ((left + 4) / size[0], 1 - (top + down - 4) / size[1], (across - 8) / size[0], (down - 8) / size[1])
    figure.patches.append(pyplot.Rectangle(place[:2], *place[2:], transform=figure.transFigure, facecolor="white", edgecolor=FRAME, linewidth=0.8, zorder=-1))
    figure.text((left + 12) / size[0], 1 - (top + 18) / size[1], title, fontsize=8.5, fontweight="bold", va="center")


def stat(figure, panel, series, box, size):
    left, top, across, down = box
    unit = panel["fieldConfig"]["defaults"]["unit"]
    for place, (legend, _, values) in enumerate(series):
        middle = top + down * (place + 1) / (len(series) + 1) + 8
        known = [value for value in values if not math.isnan(value)]
        number = amount(known[-1], unit) if known else "–"
        figure.text((left + across / 2) / size[0], 1 - middle / size[1], number, fontsize=20 if len(series) == 1 else 15, ha="center", va="center", color=COLOURS[2])
        figure.text((left + across / 2) / size[0], 1 - (middle + 24) / size[1], legend, fontsize=7.5, ha="center", va="center", color=PALE)


def lines(figure, panel, series, box, size):
    left, top, across, down = box
    unit = panel["fieldConfig"]["defaults"]["unit"]
    series = sorted(series, key=lambda one: one[0])
    columns = 2 if max((len(legend) for legend, _, _ in series), default=0) > 22 else 3
    below = 12 * math.ceil(len(series) / columns) + 8
    place = ((left + 62) / size[0], 1 - (top + down - 26 - below) / size[1], (across - 84) / size[0], (down - 62 - below) / size[1])
    axes = figure.add_axes(place)
    for number, (legend, times, values) in enumerate(series):
        colour = COLOURS[number % len(COLOURS)]
        moments = [datetime.datetime.fromtimestamp(at, datetime.UTC) for at in times]
        axes.plot(moments, values, color=colour, label=legend)
        # a gap is a gap
        axes.fill_between(moments, values, color=colour, alpha=0.06, linewidth=0)
    axes.spines[["top", "right"]].set_visible(False)
    axes.grid(axis="y", color="#eceef1", linewidth=0.7)
    axes.tick_params(length=0)
    if not series:
        axes.set_yticks([])
        axes.text(0.5, 0.5, "no data: no kubelet runs here", ha="center", va="center", transform=axes.transAxes, color=PALE)
        return axes
    axes.set_ylim(bottom=0)
    axes.yaxis.set_major_locator(ticker.MaxNLocator(4))
    axes.yaxis.set_major_formatter(lambda value, _: amount(value, unit))
    anchor = ((left + 10) / size[0], 1 - (top + down - 8) / size[1])
    figure.legend(*axes.get_legend_handles_labels(), loc="lower left", bbox_to_anchor=anchor, ncols=columns, frameon=False, fontsize=6.6, handlelength=1.2, columnspacing=1.2, borderpad=0, labelspacing=0.3)
    return axes
