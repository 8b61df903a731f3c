"""The proximal game: a discriminator may answer the generator's move, but must stay near where it stands.

A GAN need not have a Nash equilibrium, and players with a good generator are often none; they may still be at an
equilibrium of this game, in which the generator is judged by max_D~ M(G', D~) - lambda E ||grad D~(x) - grad D(x)||^2
(Farnia & Ozdaglar 2020, section 5; the duality gap of this game is that of Sidheekh et al. 2021b). Here M is half the
value V, so that lambda counts twice in units of V.
"""

from functools import partial

import torch
from torch import Tensor, nn

from zerosum import randomness
from zerosum.diagnostics.contest import Contest, Round
from zerosum.regularizers import squared_lengths

ANSWERS = 3  # updates of the discriminator for each of the generator


def held(contest: Contest, generator: nn.Module, discriminator: nn.Module, meeting: Round) -> Tensor:
    """M(G, D) with the generator's samples held fixed."""
    with torch.no_grad():
        fake = contest.fakes(generator, meeting)
    return contest.payoff(discriminator, fake, meeting)


def lowest_answered(contest: Contest, proximity: float) -> Tensor:
    """min_G' max_D~ of the proximal payoff in each measured round, float64 [batches]; G' may stay what it is."""
    generator, discriminator = contest.players.generator.network, contest.players.discriminator.network

    def answered(g: nn.Module, answer: nn.Module, meeting: Round) -> Tensor:
        return held(contest, g, answer, meeting) - proximity * distance(contest, answer, discriminator, meeting)

    def cost(g: nn.Module, answer: nn.Module, meeting: Round) -> Tensor:
        return -answered(g, answer, meeting)

    candidates = []
    for g in (generator, _search(contest, proximity)):
        answer = contest.improve(contest.players.discriminator, partial(cost, g), "answer")
        chosen = contest.measure(partial(answered, g, answer), "choosing")
        candidates.append((float(chosen.mean()), g, answer))
    _, g, answer = min(candidates, key=lambda candidate: candidate[0])
    return contest.measure(partial(answered, g, answer), "scoring")


def _search(contest: Contest, proximity: float) -> nn.Module:
    """A generator that has learned to lower the payoff of a discriminator that answers it."""
    steps, discriminator = contest.protocol.steps, contest.players.discriminator
    g, answer = contest.perturbed(contest.players.generator, "proximal"), contest.copied(discriminator)
    for step in range(steps):
        with randomness.scope(contest.seed, step, "proximal", device=contest.engine.device):
            for number in range(step * ANSWERS, (step + 1) * ANSWERS):
                meeting = contest.round("training", number, "answers")
                penalty = proximity * distance(contest, answer.network, discriminator.network, meeting)
                answer.descend(penalty - held(contest, g.network, answer.network, meeting), step, steps)
            meeting = contest.round("training", step, "proximal")
            g.descend(contest.payoff(answer.network, contest.fakes(g.network, meeting), meeting), step, steps)
    return g.network


def distance(contest: Contest, one: nn.Module, other: nn.Module, meeting: Round) -> Tensor:
    """E ||grad D~(x) - grad D(x)||^2 over the round's real samples, or packs, of the logits; a scalar."""

    def slopes(discriminator: nn.Module, *, graph: bool) -> tuple[Tensor, int]:
        with torch.enable_grad():
            real = meeting.real.detach().requires_grad_()
            logits = contest.logits(discriminator, real, meeting.labels)
            (slope,) = torch.autograd.grad(logits.sum(), real, create_graph=graph)
        return slope, len(logits)

    (mine, verdicts), (theirs, _) = slopes(one, graph=torch.is_grad_enabled()), slopes(other, graph=False)
    return squared_lengths(mine - theirs, verdicts).mean()
