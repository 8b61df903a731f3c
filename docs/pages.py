"""Write docs/paper.md, questions.md, scores.md, agreement.md and doctor.md: templates, filled with what was measured.

With --check, fail if they are not up to date.
"""

import itertools
import json
import re
import statistics
from typing import Any

from generated_pages import CHECKING, DOCS, fill_template, table, write_or_check
from matplotlib.figure import Figure

RIGHT = "---:"
SETTLED, NOTABLE = 100, 0.01  # iterations; nats
MAIN_RUN, EARLIER = "simultaneous updates, bfloat16, seed 0", "simultaneous updates, a pass for each player"
TABLE_1 = {"DBN": "138 +- 2", "Stacked CAE": "121 +- 1.6", "Deep GSN": "214 +- 1.1", "Adversarial nets": "225 +- 2"}
MEANS_AT, BEFORE, PUBLISHED = (25_000, 50_000, 100_000, 200_000, 300_000, 400_000, 500_000), 10_000, 225
SHOWN = "photos, 64: "  # the ladder that is printed whole
RUNGS = ("real", "longer GAN", "Gaussian mush")
WRITTEN_OUT = ("D frozen in G's update", "D moved by G's update too")  # their losses are those of one minibatch


def load_figures(name: str) -> dict[str, Any]:
    """Load the figures of one benchmark."""
    text = (DOCS.parent / "benchmarks" / "results" / f"{name}.json").read_text()
    return dict(json.loads(text)["figures"])


def load_runs() -> dict[str, Any]:
    """Load the runs whose duality gap was measured."""
    return {name: run for name, run in load_figures("equilibrium").items() if isinstance(run, dict)}


def show_demonstration(name: str) -> str:
    """Show what one demonstration did and measured, with its picture."""
    shown = load_figures("theory")[name]
    command = f"(`zerosum theory {name}`: {shown['seconds']} s of one core, not counting the program's start.)"
    parts = [f"{shown['opening']} {command}"]
    for each in shown["tables"]:
        parts += [f"{each['title']}:", table(each["columns"], each["rows"], align=RIGHT)]
    picture = f"theory/{name}.gif" if (DOCS / "theory" / f"{name}.gif").exists() else f"theory/{name}.png"
    return "\n\n".join([*parts, *shown["notes"], f"![{name}]({picture})"])


def tabulate_gaps() -> dict[str, str]:
    """Tabulate gap and divergence on the way, and per run how their ranks correlate and where they end."""
    runs, recipes = load_runs(), ("points", "toy", "toy-vanilla")
    moments = [runs[f"{name}, seed 0"]["moments"] for name in recipes]
    course = [
        [f"{int(step):,}", *(f"{run[step][key]:.3f}" for run in moments for key in ("gap", "JSD"))]
        for step in moments[0]
    ]
    ends = [
        [
            name,
            f"{run['rank correlation of gap and JSD']:.2f}",
            f"{correlate_with_clock(run['moments']):.2f}",
            *(
                f"{each['gap']:.3f} / {each['JSD']:.3f}"
                for each in (run["moments"]["4000"], *run["after updates of the generator alone"].values())
            ),
        ]
        for name, run in runs.items()
    ]
    heads = ["iteration", *(head for name in recipes for head in (f"`{name}`: gap", "JSD"))]
    return {
        "gaps": table(heads, course, align=RIGHT),
        "gap ranks": table(
            ["run", "with the gap", "with the clock", "end", "3", "30", "300", "3,000"], ends, align=RIGHT
        ),
    }


def correlate_with_clock(moments: dict[str, dict[str, float]]) -> float:
    """Correlate the ranks of the divergence and of the iterations that are left."""
    from scipy.stats import spearmanr

    return float(spearmanr([-int(step) for step in moments], [each["JSD"] for each in moments.values()]).statistic)


def count_agreements() -> dict[str, str]:
    """Count how often gap and divergence go the same way between two measurements after iteration SETTLED."""
    runs = [run["moments"] for run in load_runs().values()]
    changes = [
        (run[after]["JSD"] - run[before]["JSD"], run[after]["gap"] - run[before]["gap"])
        for run in runs
        for before, after in itertools.pairwise(run)
        if int(before) >= SETTLED
    ]
    up, down = ([gap for change, gap in changes if sign * change > NOTABLE] for sign in (1, -1))
    return {
        "runs": str(len(runs)),
        "rises": str(len(up)),
        "gap rises": str(sum(gap > 0 for gap in up)),
        "falls": str(len(down)),
        "gap falls": str(sum(gap < 0 for gap in down)),
    }


def measure_generator_alone() -> dict[str, str]:
    """Find the range of the divergence at the end of the runs, and after updates of the generator alone."""
    runs = load_runs()

    def find_range(after: str, prefix: str = "") -> str:
        alone = "after updates of the generator alone"
        values = [run[alone][after]["JSD"] for name, run in runs.items() if name.startswith(prefix)]
        return f"{min(values):.2f} to {max(values):.2f}"

    ends = [run["moments"]["4000"]["JSD"] for run in runs.values()]
    return {
        "end": f"{min(ends):.3f} to {max(ends):.3f}",
        "after 3": find_range("3"),
        "points after 30": find_range("30", "points,"),
        "points after 3000": find_range("3000", "points,"),
        "toy after 30": find_range("30", "toy"),
        "toy after 3000": find_range("3000", "toy"),
    }


def tabulate_table_1() -> dict[str, str]:
    """Tabulate the likelihoods that were published and measured, and say what the main run reached, and when."""
    figures = load_figures("table1")
    rows = [[name, published, ""] for name, published in TABLE_1.items()]
    for name, figure in figures.items():
        label, score = name, figure
        if isinstance(figure, dict):
            label = f"`paper-mnist`, {name}, iteration {figure['best at']:,} of {max(map(int, figure['curve'])):,}"
            score = figure.get("test", f"{figure['best']} (validation images, at its best)")
        rows.append([label, "", score.replace(" nats", "")])
    run, cooled = figures[MAIN_RUN], [run for name, run in figures.items() if name.startswith(f"{MAIN_RUN},")][-1]
    return {
        "likelihoods": table(["MNIST, nats", "published", "here"], rows, align=RIGHT),
        "released schedule": run["test"].split(" nats")[0],
        "falling rates": cooled["test"].split(" nats")[0],
        "iterations": f"{max(map(int, run['curve'])):,}",
        "best iteration": f"{run['best at']:,}",
        "rates fall from": f"{cooled['cooling from']:,}",
        "rates fall to": f"{max(map(int, cooled['curve'])):,}",
    }


def tabulate_curves() -> str:
    """Tabulate the likelihood of the validation images through the two long trainings."""
    figures = load_figures("table1")
    run, earlier = figures[MAIN_RUN], next(each for name, each in figures.items() if name.startswith(EARLIER))
    last = max(map(int, run["curve"]))
    rows = [
        [f"{step:,}", average_before(run["curve"], step), average_before(earlier["curve"], step)]
        for step in (*(each for each in MEANS_AT if each < last), last)
    ]
    return table(["iterations", "one pass for both, bfloat16", "a pass for each player, float32"], rows, align=RIGHT)


def average_before(curve: dict[str, str], step: int) -> str:
    """Average all values within the ten thousand iterations before `step`; empty if there are none."""
    values = [parse_nats(text) for at, text in curve.items() if step - BEFORE < int(at) <= step]
    return f"{statistics.fmean(values):.1f}" if values else ""


def parse_nats(text: str) -> float:
    """Return 221.3 of `221.3 nats; ...`."""
    return float(text.split(" nats")[0])


def draw_curves() -> None:
    """Draw every training of Table 1 but the one with alternating updates."""
    figure = Figure(figsize=(8, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, run in load_figures("table1").items():
        if isinstance(run, dict) and name.startswith("simultaneous"):
            begin = int(run.get("cooling from", run.get("slower from", 0)))
            curve = {int(step): parse_nats(text) for step, text in run["curve"].items() if int(step) >= begin}
            passes = "" if EARLIER in name else "one pass for both, "
            label = passes + name.removeprefix("simultaneous updates, ").replace(", seed 0", "")
            axes.plot(list(curve), list(curve.values()), linewidth=0.9, label=label)
    axes.axhline(PUBLISHED, color="0.3", linestyle="--", linewidth=0.8, label="published, test images")
    axes.set_ylim(100, 240)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.set_xlabel("iteration")
    axes.set_ylabel("nats, 1,000 validation images")
    axes.legend(frameon=False, fontsize=7, loc="lower right")
    axes.grid(alpha=0.3)
    figure.savefig(DOCS / "theory" / "table-1.png", dpi=110)


def tabulate_modes(*recipes: str) -> str:
    """Tabulate the worst seed of each recipe on ring and grid, and the range of the modes' widths."""
    figures, rows = load_figures("modes"), []
    for recipe in recipes:
        cells = [f"`{recipe.replace(':', ' --set ')}`"]
        for data in ("ring", "grid"):
            runs = [run for key, run in figures.items() if key.startswith(f"{recipe}, {data}, seed")]
            modes, near = (min(run[metric] for run in runs) for metric in ("modes-covered", "high-quality"))
            widths = sorted(run["spread-ratio"] for run in runs)
            cells += [f"{modes:.0f}", f"{near:.1%}", f"{widths[0]:.2f} to {widths[-1]:.2f}"]
        rows.append([*cells, f"{runs[0]['iterations']:,}"])
    heads = [f"{data}: {what}" for data in ("ring", "grid") for what in ("modes", "near one", "width")]
    return table(["recipe", *heads, "iterations"], rows, align=RIGHT)


def tabulate_variants(*names: str) -> str:
    """Tabulate variants of the questions' benchmark below its base."""
    figures, rows = load_figures("questions"), []
    for name in ("base", *names):
        distance, coverage, losses = figures[name].split("; ")
        cells = distance.removeprefix("Fréchet distance "), coverage.removeprefix("coverage ")
        means = [loss.strip(", ") for loss in re.findall("loss ([^a-z]+)", losses)]
        rows.append([f"{name} (losses: its last minibatch)" if name in WRITTEN_OUT else name, *cells, *means])
    heads = ["three seeds each", "Fréchet distance", "coverage", "mean D loss over the run", "mean G loss over the run"]
    return table(heads, rows, align=RIGHT)


def tabulate_correlations(runs: dict[str, dict[str, Any]]) -> str:
    """Tabulate how the ranks of losses and scores correlate in each of the `runs`."""
    heads = [key for key in next(iter(runs.values())) if not key.startswith("every")]
    return table(["", *heads], [[seed, *(str(run[key]) for key in heads)] for seed, run in runs.items()], align=RIGHT)


def list_courses(runs: dict[str, dict[str, Any]]) -> str:
    """List the losses and scores on the way of each of the `runs`."""
    courses = {seed: next(run[key] for key in run if key.startswith("every")) for seed, run in runs.items()}
    return "\n".join(f"- {seed}: {'; '.join(course)}" for seed, course in courses.items())


def make_paper() -> str:
    """Make docs/paper.md."""
    parts = tabulate_gaps() | count_agreements() | measure_generator_alone() | tabulate_table_1()
    demonstrations = {name: show_demonstration(name) for name in load_figures("theory")}
    return fill_template("paper", {**parts, **demonstrations, "curves": tabulate_curves()})


def make_questions() -> str:
    """Make docs/questions.md."""
    figures = load_figures("questions")
    base, weak = figures["through the base's runs"], figures["through the runs with a weak discriminator"]
    parts = {
        "saturating": tabulate_variants("the generator minimises log(1 - D)"),
        "frozen": tabulate_variants(*WRITTEN_OUT),
        "noise": tabulate_variants(*(f"{size}-dimensional noise" for size in ("1", "2", "8", "1,024"))),
        "steps": tabulate_variants("k = 5", "k = 5, a fifth of the iterations"),
        "weak": tabulate_variants("a weak discriminator (learning rate / 50)"),
        "lost": tabulate_modes("toy-vanilla", "toy", "points"),
        "bridges": tabulate_modes("toy", "points:networks.binary=0", "points:networks.frequencies=0", "points"),
        "base correlations": tabulate_correlations(base),
        "base courses": list_courses(base),
        "weak courses": list_courses(weak),
    }
    return fill_template("questions", parts)


def make_scores() -> str:
    """Make docs/scores.md."""
    ladders = load_figures("ladder")
    figures = ("frechet-distance", "kernel-distance", "classifier-score", "precision", "recall", "density", "coverage")
    order = [
        [
            name,
            *(
                f"{each['rank correlation'][figure]:.2f}" if figure in each["rank correlation"] else ""
                for figure in figures
            ),
        ]
        for name, each in ladders.items()
    ]
    shares = ("precision", "recall", "coverage")
    mush = [
        [name, *(" / ".join(f"{each['rungs'][rung][share]:.2f}" for share in shares) for rung in RUNGS)]
        for name, each in ladders.items()
    ]
    shown = {name.removeprefix(SHOWN): each["rungs"] for name, each in ladders.items() if name.startswith(SHOWN)}
    rungs = {
        f"rungs in {features}": table(
            [f"{SHOWN}{features}", *measured["real"]],
            [
                [rung, *(f"{value:,.{0 if abs(value) >= 100 else 3}f}" for value in values.values())]
                for rung, values in measured.items()
            ],
            align=RIGHT,
        )
        for features, measured in shown.items()
    }
    parts = {
        "order": table(["set: features", *figures], order, align=RIGHT),
        "mush": table(["set: features", *(f"{rung}: {' / '.join(shares)}" for rung in RUNGS)], mush, align=RIGHT),
    }
    return fill_template("scores", parts | rungs | tabulate_plans())


def tabulate_plans() -> dict[str, str]:
    """Tabulate what pilots forecast and what scores of as many samples said; say by how much widths were off."""
    sets = load_figures("plan")
    figures = [name for name in next(iter(sets.values())) if name not in ("seconds", "density")]
    rows = [
        [
            f"{name}: {int(count):,}",
            compare_forecasts(measured["forecast values"], measured["value"]),
            *(
                compare_forecasts(each[figure][count]["forecast half widths"], each[figure][count]["half width"])
                for figure in figures
            ),
            compare_forecasts(each["seconds"][count][1], each["seconds"][count][0]),
        ]
        for name, each in sets.items()
        for count, measured in each["frechet-distance"].items()
    ]
    heads = ["set: N", "frechet-distance", *(f"± of {figure}" for figure in figures), "seconds"]
    return {
        "plan": table(heads, rows, align=RIGHT),
        "plan pilots": f"{len(next(iter(sets.values()))['seconds']['1000'][1])} pilots of 500",
        "plan words": describe_errors(sets, figures),
    }


def compare_forecasts(forecasts: list[float], measured: float) -> str:
    """Write the range of the forecasts, and what was measured."""
    low, high, found = (f"{value:.3g}" for value in (min(forecasts), max(forecasts), measured))
    return f"{low} to {high} / {found}"


def describe_errors(sets: dict[str, Any], figures: list[str]) -> str:
    """Say how large the forecast half widths were over those that were measured, for sets that differ and others."""

    def find_range(names: list[str]) -> str:
        ratios = [
            forecast / each["half width"]
            for name in names
            for figure in figures
            for each in sets[name][figure].values()
            for forecast in each["forecast half widths"]
        ]
        middle = statistics.median(ratios)
        return f"{middle:.2f} in the median, from {min(ratios):.2f} to {max(ratios):.2f}"

    blurred = [name for name in sets if "blurred" in name]
    alike = [name for name in sets if name not in blurred]
    return (
        f"Of the blurred sets a forecast half width is that of the score times {find_range(blurred)}; of the cats "
        f"that are like the real ones, times {find_range(alike)}."
    )


def make_agreement() -> str:
    """Fill in how well protocols agree with the programs, and how much they differ from each other."""
    figures = load_figures("agreement")
    distances = figures["distance"]
    checks = [
        [f"`{name}`", max_difference(pixels), f"{distances[name]:.0e}" if name in distances else "not looked at"]
        for name, pixels in figures["pixels"].items()
    ]
    names = list(next(iter(figures["sets"].values())))
    sets = [
        [label, *(f"{each['value']:.4g} ({each['low']:.4g} to {each['high']:.4g})" for each in row.values())]
        for label, row in figures["sets"].items()
    ]
    heads = ["`--protocol`", "largest difference before the network (range 2)", "relative difference of the distance"]
    parts = {
        "checks": table(heads, checks, align=RIGHT),
        "sets": table(["Fréchet distance (95% interval)", *(f"`{name}`" for name in names)], sets, align=RIGHT),
        "count": f"{figures['count']:,}",
    }
    return fill_template("agreement", parts)


def max_difference(pixels: dict[str, float]) -> str:
    """Return the largest difference and the sizes at which it was looked for."""
    return f"{max(pixels.values()):g} (at {', '.join(pixels)})"


def make_doctor() -> str:
    """Fill in how often the doctor found planted faults, what raised false alarms, and what the remedies did."""
    found, cures = load_figures("doctor"), load_figures("cures")
    rows = [
        [
            name,
            f"{each['found']} of {each['of']}",
            ", ".join(each["expected"]),
            ", ".join(
                f"{other} ({count})" for other, count in each["findings"].items() if other not in each["expected"]
            ),
        ]
        for name, each in found["faults"].items()
    ]
    recall, alarms = found["recall"], found["false alarms"]
    healthy = ", ".join(f"{count} of {name}" for name, count in found["healthy runs"].items())
    everywhere = f"{found['kinds']} kinds, {found['kinds found on every set']} of which on every set"
    totals = (
        f"Found: {recall['hits']} of {recall['of']} runs with a fault ({describe_share(recall)}), of {everywhere}. "
        f"False alarms: {alarms['hits']} of {alarms['of']} healthy runs ({describe_share(alarms)}): {healthy}."
    )
    short = found["short runs on photos"]
    findings = ", ".join(f"{name} ({count})" for name, count in short["findings"].items())
    photos = (
        f"{short['of']} runs on photos (CIFAR-10's first 4,000, pets; at most 2,000 iterations of width 8) had been "
        "planned as healthy ones, and are not: they cover .05 to .30 of the test images, where real images cover .97. "
        f"The doctor said so: {findings}. Healthy photo models take longer than could be counted here."
    )
    remedies = [
        [
            name,
            each["finding"],
            f"`{each['remedy']}`" if "before" in each else each.get("remedy", ""),
            describe_distance(each.get("before")),
            describe_distance(each.get("after")),
            {True: "gone", False: "still there"}[each["gone"]] if "gone" in each else "",
        ]
        for name, each in cures.items()
    ]
    parts = {
        "doctor: totals": totals,
        "doctor: faults": table(["planted", "found", "expected, one of", "found besides (runs)"], rows),
        "doctor: alarms": ", ".join(f"{name} ({count})" for name, count in found["alarms"].items()) or "none",
        "doctor: short": photos,
        "doctor: cures": table(["planted", "finding", "remedy", "before", "after", "the finding"], remedies),
    }
    return fill_template("doctor", parts)


def describe_share(share: dict[str, Any]) -> str:
    """Return a share with its interval, in percent."""
    low, high = share["interval"]
    return f"{share['share']:.0%}, 95% interval {low:.0%} to {high:.0%}"


def describe_distance(distance: list[float] | None) -> str:
    """Return a distance with its interval; empty if there is none."""
    return "" if distance is None else "{:.1f} ({:.1f} to {:.1f})".format(*distance)


if __name__ == "__main__":
    if not CHECKING:
        draw_curves()
    write_or_check("paper", make_paper)
    write_or_check("questions", make_questions)
    write_or_check("scores", make_scores)
    write_or_check("agreement", make_agreement)
    write_or_check("doctor", make_doctor)
