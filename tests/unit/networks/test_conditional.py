from dataclasses import replace

import pytest
import torch

from tests.unit.networks.families import every_family
from zerosum import randomness
from zerosum.errors import InputError
from zerosum.networks import Networks
from zerosum.networks.mlp import MLP


@every_family
@pytest.mark.parametrize("condition", ["projection", "concatenation"])
def test_conditional_pairs_listen_to_the_class(networks: Networks, condition: str) -> None:
    networks = replace(networks, condition=condition)
    generator, discriminator = (player.eval() for player in networks.build_pair((2, 9, 12), 3, seed=0))
    labels = torch.tensor([0, 1, 2, 2])
    with randomness.scope(0, 0, "test"):
        latents = networks.sample_latents(4, None, labels, 3)
    assert latents.shape == (4, networks.latent + 3)
    assert torch.equal(latents[:, -3:].argmax(1), labels)
    samples = generator(latents)
    one, other = discriminator(samples, labels), discriminator(samples, torch.tensor([1, 1, 2, 2]))
    assert one.shape == (4,)
    assert (one != other).tolist() == [True, False, False, False]


def test_a_conditional_family_refuses_data_without_labels() -> None:
    with pytest.raises(InputError, match=r"networks\.condition=projection needs labels, and the data have none"):
        MLP(condition="projection").build_pair((1, 8, 8), 0, seed=0)


def test_an_auxiliary_classifier_guesses_the_class_and_is_not_told_it() -> None:
    generator, discriminator = MLP(condition="auxiliary").build_pair((2,), 3, seed=0)
    samples, labels = generator(torch.randn(4, 64 + 3)), torch.tensor([0, 1, 2, 2])
    logits, nll = discriminator(samples, labels)
    other_logits, other_nll = discriminator(samples, torch.tensor([0, 1, 2, 0]))
    assert torch.equal(logits, other_logits)
    assert (nll != other_nll).tolist() == [False, False, False, True]
    guesses = discriminator.classifier(discriminator.trunk(samples)).softmax(1)
    torch.testing.assert_close(nll, -guesses[torch.arange(4), labels].log())
