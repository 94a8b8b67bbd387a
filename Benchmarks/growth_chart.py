#!/usr/bin/env python3
"""Draws what RoomFanout --growth measured: growth_chart.py RESULT.json > Docs/images/growth.svg"""
import json
import math
import sys

WIDTH, PANEL, LEFT, TOP, RIGHT, BOTTOM = 760, 250, 60, 44, 24, 46
COLORS = ["#c2410c", "#2563eb"]
# Title, the rows' series, what is on the horizontal axis, and lines: name, figure. Rows without it are left out.
PANELS = [
    ("CPU per forwarded packet, µs", "subscribers of one publisher", "subscribers of one publisher, 60 packets/s",
     [("", lambda row: row["cpuPerPacket"])]),
    ("CPU per forwarded packet, µs", "people who all speak", "people in a room who all speak, 50 packets/s",
     [("", lambda row: row["cpuPerPacket"])]),
    ("Nobody sends: % of a core", "rooms of four", "rooms of four, two transports for each peer",
     [("clients check their paths", lambda row: row["idle"]["cpu"] * 100 if "idle" in row else None),
      ("by itself", lambda row: row["idle"]["cpuAlone"] * 100 if "idle" in row else None)]),
    ("Memory of all rooms, MiB", "rooms of four", "rooms of four, packets once a second",
     [("", lambda row: row["kibPerPeer"] * row["count"] * 4 / 1024)]),
    ("Messages that a peer is sent until all are in", "subscribers of one publisher",
     "people in the room", [("", lambda row: row["messagesPerPeer"])]),
    ("Peers that join in a second, one after the other", "subscribers of one publisher",
     "people in the room", [("", lambda row: row["joinsPerSecond"])]),
]


def text(x, y, content, anchor="middle", color="#374151", size=12):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}">{content}</text>'


def number(value):
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def ceiling(value):
    """The next round number, so that the axis ends at one."""
    power = 10 ** math.floor(math.log10(value))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= value)


def panel(left, top, width, title, axis, counts, lines):
    high = ceiling(max(value for _, values in lines for value in values))
    inner_width, inner_height = width - LEFT - RIGHT, PANEL - TOP - BOTTOM

    def x(index):
        return left + LEFT + inner_width * index / max(len(counts) - 1, 1)

    def y(value):
        return top + PANEL - BOTTOM - inner_height * value / high

    drawn = [text(left + 12, top + 22, title, "start", "#111827", 13)]
    for step in range(5):
        value = high * step / 4
        drawn.append(f'<path d="M{left + LEFT} {y(value):.1f}H{left + width - RIGHT}" stroke="#e5e7eb"/>')
        drawn.append(text(left + LEFT - 8, y(value) + 4, number(value), "end"))
    for index, count in enumerate(counts):
        drawn.append(text(x(index), top + PANEL - BOTTOM + 18, number(count)))
    drawn.append(text(left + LEFT + inner_width / 2, top + PANEL - 10, axis, color="#6b7280", size=11))
    for place, ((name, values), color) in enumerate(zip(lines, COLORS)):
        points = [(x(index), y(value), value) for index, value in enumerate(values)]
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b, _ in points)
        drawn.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        for a, b, value in points:
            drawn.append(f'<circle cx="{a:.1f}" cy="{b:.1f}" r="3.5" fill="{color}"/>')
            drawn.append(text(a, b - 8, number(value), color=color, size=11))
        if name:
            drawn.append(text(left + LEFT + 8, top + TOP + 12 + 16 * place, name, "start", color))
    return drawn


def main():
    report = json.load(open(sys.argv[1], encoding="utf-8"))
    machine, rows = report["machine"], report["result"]["rows"]
    height = PANEL * math.ceil(len(PANELS) / 2) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
    ]
    for place, (title, series, axis, figures) in enumerate(PANELS):
        chosen = [row for row in rows if row["series"] == series and figures[0][1](row) is not None]
        if not chosen:
            continue
        values = [(name, [figure(row) for row in chosen]) for name, figure in figures]
        left, top = WIDTH / 2 * (place % 2), PANEL * (place // 2)
        lines += panel(left, top, WIDTH / 2, title, axis, [row["count"] for row in chosen], values)
    footer = f'{machine["processor"]}, Linux {machine["kernel"]}, {machine["commit"]}, {machine["date"][:10]}'
    lines += [text(WIDTH - 8, height - 6, footer, "end", "#9ca3af", 10), "</svg>"]
    print("\n".join(lines))


main()
