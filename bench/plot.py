"""SVG plots of a report, by gnuplot. plots(lab) writes BUILD/bench-*.svg."""

import os
import shutil
import subprocess

from lab import MB, Skip

HEAD = """\
set terminal svg size {size} font "sans,12" background "white"
set output "{out}"
set border 3
set tics nomirror out
"""


def gnuplot(lab, name, script, data, size="760,360"):
    if not shutil.which("gnuplot"):
        raise Skip("gnuplot is not installed")
    out = os.path.join(lab.build, f"bench-{name}.svg")
    with open(lab.path("plot.dat"), "w") as f:
        f.write(data)
    script = HEAD.format(size=size, out=out) + script.replace(
        "DATA", '"' + lab.path("plot.dat") + '"')
    done = subprocess.run(["gnuplot"], input=script, text=True,
                          capture_output=True)
    if done.returncode:
        raise Skip(f"gnuplot: {done.stderr.strip()[-200:]}")
    lab.report.setdefault("plots", []).append(os.path.basename(out))


def updates(lab):
    """Bars with their spread: each way to get the largest file."""
    rows = lab.report.get("updates", [])
    if not rows:
        return
    most = max(row["bytes"] for row in rows)
    rows = [row for row in rows if row["bytes"] == most]
    tools = [who for who in ("porta", "floor", "curl", "wget")
             if all(who in row["wall_s"] for row in rows)]
    data, ticks, at = "", [], 0
    for row in rows:
        ticks.append(f'"TLS {row["tls"]}\\n{row["cipher"]}" '
                     f"{at + (len(tools) - 1) / 2}")
        for colour, who in enumerate(tools):
            wall = row["wall_s"][who]
            data += f"{at} {wall['median'] * 1000} {wall['min'] * 1000} " \
                    f"{wall['max'] * 1000} {colour + 1}\n"
            at += 1
        at += 1
    keys = ", ".join(["DATA using 1:2:(0.8):5 with boxes lc variable notitle",
                      # error bars would hide the bar's end behind their point
                      "DATA using 1:3:(0):($4-$3) with vectors heads "
                      "size screen 0.005,90 lc black notitle"] +
                     [f'NaN with boxes lc {i + 1} title "{who}"'
                      for i, who in enumerate(tools)])
    gnuplot(lab, "updates", f"""\
set title "An update of {most / MB:.0f} MB: median, fastest and slowest run"
set ylabel "milliseconds"
set yrange [0:*]
set style fill solid 0.6
set key outside right
set bmargin 4
set xtics ({", ".join(ticks)})
plot {keys}
""", data)


LANES = {"receive": (2, 1, "network"), "erase": (1, 2, "erase"),
         "program": (0, 3, "program")}


def overlap(lab):
    """What the flash and the network did when, for each link."""
    for row in lab.report.get("overlap", []):
        data, least = "", row["took_s"] / 400
        for name, start, took in row["spans"]:
            took = max(took, least)
            lane, colour, _ = LANES[name]
            data += f"{start} {lane} {start} {start + took} " \
                    f"{lane - 0.35} {lane + 0.35} {colour}\n"
        slower = max(row["flash_s"], row["network_s"])
        gnuplot(lab, f"overlap-{row['rate'] // 1000}k", f"""\
set title "{row['bytes'] / 1000:.0f} KB at {row['rate'] // 1000} KB/s, 45 ms \
for a sector: {row['took_s']:.2f} s, the slower alone {slower:.2f} s"
set xlabel "seconds"
set yrange [-0.6:2.6]
set xrange [0:*]
set ytics ("program" 0, "erase" 1, "receive, or wait" 2)
set style fill solid 0.8 noborder
plot DATA using 1:2:3:4:5:6:7 with boxxyerror lc variable notitle
""", data, size="900,260")


def ratios(lab):
    """Time of porta over that of each other way, with the spread of pairs."""
    rows = lab.report.get("updates", [])
    data, ticks = "", []
    for i, row in enumerate(rows):
        ratio = row["porta_over"]["floor"]
        ticks.append(f'"{row["bytes"] / MB:.0f} MB {row["tls"]} '
                     f'{row["cipher"]}" {i}')
        data += f"{ratio['median']} {i} {ratio['min']} {ratio['max']}\n"
    if not rows:
        return
    gnuplot(lab, "ratios", f"""\
set title "Time of porta update over the floor's, run beside run"
set xrange [0:*]
set yrange [-1:{len(rows)}]
set arrow from 1.1,-1 to 1.1,{len(rows)} nohead dt 2
set ytics ({", ".join(ticks)})
plot DATA using 1:2:3:4 with xerrorbars pt 7 lc 1 notitle
""", data, size=f"760,{120 + 28 * len(rows)}")


def plots(lab):
    for draw in (updates, ratios, overlap):
        draw(lab)
