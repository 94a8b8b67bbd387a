#!/usr/bin/env python3
"""Draws what RoomFanout --chart measured: chart.py RESULT.json > Docs/images/cpu-per-packet.svg"""
import json
import math
import sys

WIDTH, HEIGHT, LEFT, TOP, RIGHT, BOTTOM = 760, 420, 60, 50, 130, 60
SERIES = [("gateway", "Roundhouse", "#c2410c"), ("janus", "Janus", "#2563eb"), ("floor", "bare loop", "#6b7280")]


def text(x, y, content, anchor="middle", color="#374151", size=13):
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{color}" font-size="{size}">{content}</text>'


def main():
    report = json.load(open(sys.argv[1], encoding="utf-8"))
    points = report["result"]
    machine = report["machine"]
    highest = max(point.get(key) or 0 for point in points for key, _, _ in SERIES)
    grid = [value for value in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000) if value < 2 * highest]

    def x(index):
        return LEFT + (WIDTH - LEFT - RIGHT) * index / max(len(points) - 1, 1)

    def y(value):
        return HEIGHT - BOTTOM - (HEIGHT - TOP - BOTTOM) * math.log(value) / math.log(grid[-1])

    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" font-family="system-ui, sans-serif">',
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        text(LEFT, 24, "Server CPU per forwarded packet, µs (logarithmic)", "start", "#111827", 16),
    ]
    for value in grid:
        lines.append(f'<path d="M{LEFT} {y(value):.1f}H{WIDTH - RIGHT}" stroke="#e5e7eb"/>')
        lines.append(text(LEFT - 8, y(value) + 4, value, "end"))
    for index, point in enumerate(points):
        lines.append(text(x(index), HEIGHT - BOTTOM + 20, point["subscribers"]))
    load = report["load"]
    rate, payload = int(load["packetsPerSecond"]), load["payload"]
    label = f"subscribers of one publisher at {rate} packets/s of {payload} bytes"
    lines.append(text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - BOTTOM + 40, label))
    footer = f'{machine["processor"]}, Linux {machine["kernel"]}, {machine["commit"]}, {machine["date"][:10]}'
    lines.append(text(WIDTH - 8, HEIGHT - 6, footer, "end", "#9ca3af", 10))
    for key, name, color in SERIES:
        known = [(x(index), y(point[key])) for index, point in enumerate(points) if point.get(key) is not None]
        if not known:
            continue
        path = "L".join(f"{a:.1f} {b:.1f}" for a, b in known)
        lines.append(f'<path d="M{path}" fill="none" stroke="{color}" stroke-width="2.5"/>')
        lines += [f'<circle cx="{a:.1f}" cy="{b:.1f}" r="4" fill="{color}"/>' for a, b in known]
        lines.append(text(known[-1][0] + 12, known[-1][1] + 4, name, "start", color))
    lines.append("</svg>")
    print("\n".join(lines))


main()
