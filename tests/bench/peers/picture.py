# SPDX-License-Identifier: MPL-2.0
"""Bars as SVG: a panel for each piece of work, a bar for each peer."""

import html

import contest
import report

WIDTH, LABEL, BAR, GAP, PANEL_HEAD, COLUMN_GAP = 420, 90, 14, 5, 30, 30
COLORS = {"tulle": "#c2410c", "zmq2": "#1e3a8a"}
OTHERS = "#94a3b8"

THROUGHPUT = [
    ("one-64", "deliveries", "1 to 1, 64 B: events per second"),
    ("one-1024", "deliveries", "1 to 1, 1 KiB: events per second"),
    ("fan-out-64", "deliveries", "1 to 8, 64 B: deliveries per second"),
    ("fan-out-1024", "deliveries", "1 to 8, 1 KiB: deliveries per second"),
    ("fan-in-64", "deliveries", "8 to 1, 64 B: events per second"),
    ("mesh-64", "deliveries", "4 to 4, 64 B: deliveries per second"),
]
COST = [
    ("latency-1000", "p50", "Latency at 1,000 a second: median, µs (less is better)"),
    ("latency-1000", "p99", "Latency at 1,000 a second: 99th percentile, µs"),
    ("latency-10000", "p50", "Latency at 10,000 a second: median, µs"),
    ("latency-10000", "p99", "Latency at 10,000 a second: 99th percentile, µs"),
    ("one-64", "cpu", "CPU seconds per million events, 64 B (less is better)"),
]


def text_at(x, y, text, anchor="start", weight="normal"):
    """One line of text."""
    return (
        f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" font-weight="{weight}">'
        f"{html.escape(text)}</text>"
    )


def panel(x, y, title, metric, peers):
    """The lines of one panel; the longest bar is the largest figure."""
    lines = [text_at(x, y + 16, title, weight="bold")]
    largest = max((p[metric]["median"] for p in peers.values() if metric in p), default=0) or 1
    room = WIDTH - LABEL - 70
    for row, (name, entry) in enumerate(peers.items()):
        top = y + PANEL_HEAD + row * (BAR + GAP)
        lines.append(text_at(x + LABEL - 8, top + BAR - 3, name, "end"))
        if metric not in entry:
            lines.append(text_at(x + LABEL, top + BAR - 3, "failed"))
            continue
        median = entry[metric]["median"]
        width = max(room * median / largest, 1)
        lines.append(
            f'<rect x="{x + LABEL}" y="{top}" width="{width:.1f}" height="{BAR}" '
            f'fill="{COLORS.get(name, OTHERS)}"/>'
        )
        label = report.show(metric, median)
        lines.append(text_at(x + LABEL + width + 6, top + BAR - 3, label))
    return lines


def write(path, panels, summary):
    """One picture of the panels that were measured, two side by side; none without any."""
    panels = [p for p in panels if p[0] in summary]
    if not panels:
        return
    # tulle once is enough
    shown = [name for name in contest.PEERS if name != "tulle-tools"]
    order = [name for name in shown if any(name in summary[p[0]] for p in panels)]
    height = PANEL_HEAD + len(order) * (BAR + GAP) + 20
    lines = []
    for i, (work, metric, title) in enumerate(panels):
        peers = {name: summary[work].get(name, {}) for name in order}
        x, y = 10 + (i % 2) * (WIDTH + COLUMN_GAP), 10 + (i // 2) * height
        lines += panel(x, y, title, metric, peers)
    total = (2 * WIDTH + COLUMN_GAP + 20, (len(panels) + 1) // 2 * height + 10)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{total[0]}" height="{total[1]}" '
        f'viewBox="0 0 {total[0]} {total[1]}" font-family="sans-serif" font-size="12">'
    )
    background = '<rect width="100%" height="100%" fill="white"/>'
    path.write_text("\n".join([head, background, *lines, "</svg>"]) + "\n", encoding="utf-8")


def write_all(folder, summary):
    """The pictures that docs/performance.md shows."""
    write(folder / "performance-throughput.svg", THROUGHPUT, summary)
    write(folder / "performance-cost.svg", COST, summary)
