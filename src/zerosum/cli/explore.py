"""`zerosum explore`: a game, a latent space or a run in the browser."""

from typing import Annotated

import typer

from zerosum.cli._options import Device

LOCAL = "127.0.0.1"


def explore(
    what: Annotated[
        str,
        typer.Argument(
            metavar="[RUN|GENERATOR|TOY]",
            help="A toy (ring, grid, gaussian) to watch the game itself; a run's folder; a generator.safetensors, "
            "hub:OWNER/NAME, or one that ships: digits.",
        ),
    ] = "ring",
    host: Annotated[str, typer.Option(help="The address to serve at; another than this opens it to others.")] = LOCAL,
    port: Annotated[int, typer.Option(min=0, max=65_535, help="The port to serve at; 0 takes a free one.")] = 0,
    browser: Annotated[bool, typer.Option("--browser/--no-browser", help="Open the page in a browser.")] = True,
    device: Device = "auto",
) -> None:
    r"""Open a page of this machine: watch a game of points, walk through a latent space, or follow a run.

    It needs the extra explore: pip install 'zerosum\[explore]'. Ctrl-C ends it.

    Games of points are played on the CPU; --device is for generators.
    """
    import functools

    from zerosum.explore import serving
    from zerosum.explore.guard import Door
    from zerosum.explore.refusals import check_subject

    serving.check_packages()
    check_subject(what)
    bound = serving.bind(host, port)
    door = Door(host, bound.getsockname()[1])
    with bound:
        from zerosum.explore.application import make_application
        from zerosum.explore.subject import open_subject

        application = make_application(open_subject(what, device))
        if not door.is_local:
            typer.echo(
                f"Warning: whoever reaches {host} and has the address below may look and steer; nothing is encrypted",
                err=True,
            )
        by_number = "" if door.numeric_address is None else f", or {door.numeric_address}"
        typer.echo(f"{what} is shown at {door.address}{by_number}\nCtrl-C ends it")
        open_page = functools.partial(serving.show_in_browser, door.address) if browser else None
        serving.serve(bound, door, application, open_page)
    typer.echo("Ended")
    serving.leave()
