# SPDX-License-Identifier: MPL-2.0
"""From runs to medians, ratios, tables and targets."""

import contextlib
import os
import platform
import re
import statistics
import subprocess

import contest

REFERENCE = "zmq2"

# What a run is judged by, and where it is in the run's object.
METRICS = {
    "deliveries": ("deliveries_per_second",),
    "cpu": ("cpu_seconds_per_million", "total"),
    "p50": ("latency_us", "p50"),
    "p99": ("latency_us", "p99"),
}

# (work, metric, "ratio" to the reference or "value", bound, peer): throughput is at least that,
# everything else at most.
TARGETS = [
    ("one-64", "deliveries", "ratio", 3.0),
    ("one-256", "deliveries", "ratio", 2.5),
    ("one-1024", "deliveries", "ratio", 2.0),
    ("one-16384", "deliveries", "ratio", 2.0),
    ("fan-out-64", "deliveries", "ratio", 3.5),
    ("fan-out-1024", "deliveries", "ratio", 2.0),
    ("fan-in-64", "deliveries", "ratio", 2.0),
    ("mesh-64", "deliveries", "ratio", 2.0),
    ("one-64", "cpu", "value", 0.4),
    ("latency-1000", "p50", "ratio", 1.15),
    ("latency-1000", "p99", "ratio", 1.25),
    ("latency-10000", "p50", "ratio", 1.15),
    ("latency-10000", "p99", "ratio", 1.25),
    ("one-64", "deliveries", "ratio", 0.9, "tulle1-proxy"),
    ("one-1024", "deliveries", "ratio", 0.9, "tulle1-proxy"),
    ("one-64", "deliveries", "ratio", 1.0, "tulle-proxy"),
    ("one-1024", "deliveries", "ratio", 1.0, "tulle-proxy"),
]


def metric_of(run, metric):
    """One figure of a run, None if it has none."""
    for key in METRICS[metric]:
        if not isinstance(run, dict) or key not in run:
            return None
        run = run[key]
    return run


def summarize(runs):
    """{work: {peer: {metric: {"median", "min", "max", "ratio"}}}}; a peer of which any run of a
    work failed has {"failed": how many} instead. A ratio is the median of those within rounds."""
    by_place = {(r["work"], r["peer"], r["repetition"]): r for r in runs}
    repetitions = sorted({r["repetition"] for r in runs})
    summary = {}
    for work, name, _ in by_place:
        summary.setdefault(work, {}).setdefault(name, None)
    for work, peers in summary.items():
        for name in peers:
            mine = [by_place.get((work, name, n), {"failed": "not run"}) for n in repetitions]
            failed = sum("failed" in run for run in mine)
            if failed:
                peers[name] = {"failed": failed}
                continue
            reference = contest.PEERS[name].reference
            references = [by_place.get((work, reference, n), {}) for n in repetitions]
            peers[name] = summarize_peer(mine, references)
    return summary


def summarize_peer(mine, references):
    """The metrics of one peer in one piece of work."""
    result = {}
    for metric in METRICS:
        values = [metric_of(run, metric) for run in mine]
        if None in values:
            continue
        bases = [metric_of(run, metric) for run in references]
        ratio = None
        if all(bases):
            ratio = statistics.median(v / b for v, b in zip(values, bases))
        result[metric] = {
            "median": statistics.median(values),
            "min": min(values),
            "max": max(values),
            "ratio": ratio,
        }
    return result


def show(metric, value):
    """A figure as people read it."""
    if metric != "deliveries":
        return f"{value:.2f}" if metric == "cpu" else f"{value:,.0f}"
    if value >= 1e6:
        return f"{value / 1e6:.2f} M"
    return f"{value / 1e3:,.0f} k"


def cell(entry, metric):
    """A cell of the table: figure and ratio."""
    if entry is None or "failed" in entry:
        return "-" if entry is None else "failed"
    if metric not in entry:
        return "-"
    figure = entry[metric]
    ratio = "" if figure["ratio"] is None else f" ({figure['ratio']:.2f})"
    return show(metric, figure["median"]) + ratio


def table(title, metric, works, summary):
    """The lines of one table in Markdown: a row for each peer, a column for each piece of work."""
    works = [w for w in works if w.name in summary]
    rows = [["", *(w.title for w in works)]]
    for name in contest.PEERS:
        cells = [cell(summary[w.name].get(name), metric) for w in works]
        if any(text != "-" for text in cells):
            rows.append([name, *cells])
    if len(rows) == 1:
        return []
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    rows.insert(1, ["-" * width for width in widths])
    lines = [
        "| " + " | ".join(text.ljust(w) for text, w in zip(row, widths)) + " |" for row in rows
    ]
    return ["", title, "", *lines]


def tables(results, summary):
    """The lines of everything measured: medians, and ratios to the reference in brackets."""
    floods = [w for w in contest.WORKS if w.rate == 0]
    paced = [w for w in contest.WORKS if w.rate > 0]
    one = [w for w in floods if w.subscribers == w.publishers == 1]
    count = 1 + max((r["repetition"] for r in results["runs"]), default=-1)
    machine = results["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in results["versions"].items())
    return [
        f"{machine['cores']} cores, {machine['cpu']}, {machine['memory_gib']} GiB, "
        f"{machine['system']}. Load {machine['load']:.2f} before, {machine['load_after']:.2f} "
        f"after. {versions}.",
        "",
        *BUSY[machine["load"] <= machine["cores"] / 2],
        f"Medians of {count} runs of {results['seconds']:g} s, of "
        f"{paced[0].times * results['seconds']:g} s where latency is measured; in brackets the "
        f"ratio to {REFERENCE}, the median of those within rounds.",
        *table("Deliveries per second:", "deliveries", floods, summary),
        *table("CPU seconds per million events, of all processes:", "cpu", one, summary),
        *table("Latency from when it was due, microseconds, median:", "p50", paced, summary),
        *table("Latency, 99th percentile:", "p99", paced, summary),
    ]


def judge(summary):
    """What is asked of tulle: the lines of a table, and how many targets are missed."""
    missed = 0
    lines = []
    for work, metric, kind, bound, *who in TARGETS:
        name = who[0] if who else "tulle"
        entry = summary.get(work, {}).get(name, {})
        figure = entry.get(metric)
        value = None if figure is None else figure["ratio" if kind == "ratio" else "median"]
        if value is None and "failed" not in entry:
            continue
        met = value is not None and (value >= bound if metric == "deliveries" else value <= bound)
        missed += not met
        reference = contest.PEERS[name].reference
        what = f"{metric}, ratio to {reference}" if kind == "ratio" else metric
        what = f"{name}: {what}" if who else what
        sign = "at least" if metric == "deliveries" else "at most"
        lines.append(
            f"| {work} | {what} | {sign} {bound} | {'failed' if value is None else f'{value:.2f}'} "
            f"| {'met' if met else 'missed'} |"
        )
    if lines:
        lines = ["", "Targets of tulle:", "", "| work | | target | measured | |",
                 "|---|---|---|---|---|", *lines]  # fmt: skip
    return lines, missed


def failures(runs):
    """A line for each run that counts for nothing."""
    return [
        f"failed: {run['work']} {run['peer']}, run {run['repetition'] + 1}: {run['failed']}"
        for run in runs
        if "failed" in run
    ]


# By whether the machine was idle.
BUSY = {
    True: [],
    False: ["Other work ran on the machine: take these figures for rough ones.", ""],
}

PAGE_HEAD = """\
# Performance beside other systems

Written by `scripts/bench-peers --output docs`. [performance.md](performance.md#beside-other-systems) says how
everything is measured and configured; the runs themselves are in
[performance-peers.json](performance-peers.json).
"""

PICTURES = ["![Throughput](performance-throughput.svg)", "", "![CPU and latency](performance-cost.svg)"]


def page(lines):
    """What is kept in docs."""
    return "\n".join([PAGE_HEAD, *PICTURES, "", *lines]) + "\n"


def output_of(*command):
    """What a command prints, "" if it fails."""
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        run = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
        return run.stdout.strip()
    return ""


def field_of(path, name):
    """The value of the first line "name: value" or "name=value" of a file."""
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.partition("=" if "=" in line else ":")
            if key.strip() == name:
                return value.strip().strip('"')
    return "unknown"


def describe_machine():
    """What this runs on."""
    memory = field_of("/proc/meminfo", "MemTotal").split()[0]
    return {
        "cpu": field_of("/proc/cpuinfo", "model name"),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(int(memory) / 1048576) if memory.isdigit() else 0,
        "system": f"{field_of('/etc/os-release', 'PRETTY_NAME')}, Linux {platform.release().split('-')[0]}",
    }


def describe_versions(root, names):
    """What is measured, as Debian's packages name it."""
    header = (root / "lib/include/tulle/version.h").read_text(encoding="utf-8")
    numbers = re.findall(r"TULLE_VERSION_(?:MAJOR|MINOR|PATCH)\D+(\d+)", header)
    versions = {"tulle": ".".join(numbers[:3])}
    for package, name in contest.PACKAGES.items():
        if name is None or name in names:
            show_version = ("dpkg-query", "--show", "--showformat=${Version}", package)
            versions[package] = output_of(*show_version)
    return {name: version for name, version in versions.items() if version}
