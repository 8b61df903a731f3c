"""One local page that shows a game while it is played, a generator's latent space, and a run while it trains.

- `settings.py`, `match.py`, `watching.py`: a game of points as the page sets it, played by `game/algorithm.py` itself.
- `cells.py`, `view.py`: what is looked at in it: densities in cells, the best discriminator, pushes, modes.
- `session.py`: play, pause, and one line of Algorithm 1 at a time, in a thread.
- `latents.py`, `directions.py`: a generator's samples, what lies between and around them, and where they lead.
- `following.py`: a run's folder, read anew whenever it is asked for.
- `frames.py`: arrays as bytes for the page; `page/` is the page.
- `refusals.py`, `subject.py`, `application.py`, `guard.py`, `serving.py`: what cannot be explored, what is, its
  addresses, who may ask, the port.
"""
