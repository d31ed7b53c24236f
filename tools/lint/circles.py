"""circles.py - no file needs one that needs it in turn.

x.c and x.h are one file here; including its header is needing it. A header
without a .c is words only: whoever includes it needs what it includes.
"""
import layers

GOVERNED = ("src", "port", "apps", "compat", "torture", "bench")


def unit_of(name):
    return name.rsplit(".", 1)[0]


def included(tree):
    """Every unit with those that its files include."""
    headers, units = layers.Headers(tree), {}
    for name in tree.c_files(*GOVERNED):
        needs = units.setdefault(unit_of(name), set())
        for match in layers.INCLUDE.finditer(tree.uncommented(name)):
            target = match[1] and headers.target(name, match[1])
            if target:
                needs.add(unit_of(target))
    return units


def needed(units, made, unit, seen):
    """What a unit needs, through headers that are words only."""
    found = set()
    for other in units.get(unit, set()) - seen:
        seen.add(other)
        found |= {other} if other in made else needed(units, made, other, seen)
    return found


def path_back(needs, start):
    """The shortest way from a unit to itself; empty: there is none."""
    ways = [[start]]
    seen = set()
    for way in ways:
        for other in sorted(needs.get(way[-1], ())):
            if other == start:
                return way
            if other not in seen:
                seen.add(other)
                ways.append(way + [other])
    return []


def check_circles(tree):
    """No file needs one that needs it in turn."""
    units = included(tree)
    made = {unit_of(n) for n in tree.names if n.endswith(".c")}
    needs = {u: needed(units, made, u, {u}) for u in units if u in made}
    for start in sorted(needs):
        way = path_back(needs, start)
        if way and start == min(way):
            yield start + ".c", 1, "a circle: " + " -> ".join(
                unit.rsplit("/", 1)[-1] for unit in way + [start])
