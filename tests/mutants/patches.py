"""The named mutants: faults in the wiring that a test of its own has to see.

Each replaces a text that stands exactly once in its file.
"""

from dataclasses import dataclass
from pathlib import Path

PLAY = "tests/wiring/test_play.py::test_play_ends_with_the_weights_of_the_game_written_out"
EMA = "tests/wiring/test_ema.py"
METRICS = "tests/unit/metrics"


@dataclass(frozen=True)
class Patch:
    """A named mutant.

    Attributes:
        name: the fault, in words.
        file: path below the package's folder.
        old: the text that goes; it stands in the file exactly once.
        new: the text that comes.
        test: the node id of the test that has to fail, without its parameters.
    """

    name: str
    file: str
    old: str
    new: str
    test: str

    def apply(self, package: Path) -> str:
        """Return the mutated text of the file in the folder `package`.

        Raises:
            ValueError: the old text is not there exactly once.
        """
        text = (package / self.file).read_text(encoding="utf-8")
        if (found := text.count(self.old)) != 1:
            raise ValueError(f"{self.name}: {self.file} has {self.old!r} {found} times, not once")
        return text.replace(self.old, self.new)


NAMED = (
    Patch(
        "labels are those of other images in minibatch",
        "data/__init__.py",
        "self.labels[indices]",
        "self.labels[indices.flip(0)]",
        PLAY,
    ),
    Patch(
        "labels are those of other images in real_batch",
        "game/players.py",
        "return data.minibatch(size, number, seed, device=self.engine.device, labelled=self.networks.conditional)",
        "samples, labels = data.minibatch(size, number, seed, labelled=self.networks.conditional)\n"
        "        return Batch(samples, None if labels is None else labels.roll(1))",
        PLAY,
    ),
    Patch(
        "fakes have the labels of others",
        "game/players.py",
        "self.networks.sample_latents(count, self.engine.device, labels, self.classes)",
        "self.networks.sample_latents(\n"
        "            count, self.engine.device, None if labels is None else labels.roll(1), self.classes\n"
        "        )",
        PLAY,
    ),
    Patch(
        "G's update without tricks",
        "game/players.py",
        "of_fake = self.predict(fake, labels, done)",
        "of_fake = self.engine.predict(self.discriminator.network, fake, labels)",
        PLAY,
    ),
    Patch(
        "real samples without tricks in G's update",
        "game/players.py",
        "of_real = self.predict(real, labels, done)",
        "of_real = self.engine.predict(self.discriminator.network, real, labels)",
        PLAY,
    ),
    Patch(
        "done = 0 in D's pass",
        "game/players.py",
        "predict = partial(self.predict, done=done)",
        "predict = partial(self.predict, done=0.0)",
        PLAY,
    ),
    Patch(
        "done = 0 in D's penalties",
        "game/players.py",
        "            of_fake.class_loss,\n            done,\n",
        "            of_fake.class_loss,\n            0.0,\n",
        PLAY,
    ),
    Patch(
        "done = 0 in G's pass",
        "game/algorithm.py",
        "players.discriminate_fakes(real, fake, labels, done,",
        "players.discriminate_fakes(real, fake, labels, 0.0,",
        PLAY,
    ),
    Patch(
        "lazy penalties counted by step, not by update",
        "game/algorithm.py",
        "recipe.penalty(out, update)",
        "recipe.penalty(out, step)",
        PLAY,
    ),
    Patch(
        "minibatches counted by step, not by update",
        "game/algorithm.py",
        "players.real_batch(data, size, update * recipe.accumulate + part, seed)",
        "players.real_batch(data, size, step * recipe.accumulate + part, seed)",
        PLAY,
    ),
    Patch(
        "the same randomness in all k updates",
        "game/algorithm.py",
        'f"discriminator update {k}"',
        '"discriminator update 0"',
        PLAY,
    ),
    Patch(
        "G learns without the class loss",
        "game/recipe.py",
        "self.game.generator_loss(out.real_logits, out.fake_logits) + out.class_loss",
        "self.game.generator_loss(out.real_logits, out.fake_logits)",
        PLAY,
    ),
    Patch(
        "D learns without the class loss",
        "game/recipe.py",
        "total_penalty(self.regularizers, out, update) + self.further_loss(out)",
        "total_penalty(self.regularizers, out, update)",
        PLAY,
    ),
    Patch(
        "G learns from other fakes than D where it should not",
        "game/algorithm.py",
        "if not recipe.same_fakes:",
        "if True:",
        PLAY,
    ),
    Patch(
        "D learns without the penalty",
        "game/algorithm.py",
        "players.discriminator.backward(d_loss + penalty)",
        "players.discriminator.backward(d_loss + 0 * penalty)",
        PLAY,
    ),
    Patch(
        "labels are never changed",
        "game/recipe.py",
        "not any(trick.relabels for trick in self.tricks)",
        "True",
        PLAY,
    ),
    Patch(
        "the tricks remember nothing",
        "game/algorithm.py",
        "        players.remember(real_logits, recipe.batch_size, update)\n",
        "",
        PLAY,
    ),
    Patch(
        "all parts of a minibatch are the same samples",
        "game/algorithm.py",
        "update * recipe.accumulate + part, seed)",
        "update * recipe.accumulate, seed)",
        PLAY,
    ),
    Patch(
        "all parts of a minibatch have the same noise",
        "game/algorithm.py",
        'f"discriminator update {k}", part)',
        'f"discriminator update {k}", 0)',
        PLAY,
    ),
    Patch("the gradients of parts are summed", "game/players.py", "else loss / self.accumulate", "else loss", PLAY),
    Patch("nothing is replayed", "game/players.py", "trick.replay(fakes, self.memory)", "fakes", PLAY),
    Patch(
        "the players' optimisers are exchanged",
        "game/players.py",
        "player(generator, recipe.generator_optimizer)",
        "player(generator, recipe.discriminator_optimizer)",
        PLAY,
    ),
    Patch(
        "EMA warm-up off by one",
        "game/ema.py",
        "(1 + updates) / (10 + updates)",
        "(2 + updates) / (11 + updates)",
        f"{EMA}::test_the_average_follows_its_formula_over_a_whole_game",
    ),
    Patch(
        "EMA off by one at the call",
        "run/trainer.py",
        "self.ema.update(self.step)",
        "self.ema.update(iteration.step)",
        f"{EMA}::test_the_trainer_averages_once_after_each_update_of_the_generator",
    ),
    Patch(
        "EMA never",
        "run/trainer.py",
        "                self.ema.update(self.step)\n",
        "",
        f"{EMA}::test_the_trainer_averages_once_after_each_update_of_the_generator",
    ),
    Patch(
        "live weights instead of the EMA's in pictures and scores",
        "game/ema.py",
        "        if self.decay == 0:\n            self.network.load_state_dict",
        "        if True:\n            self.network.load_state_dict",
        f"{EMA}::test_pictures_scores_and_the_saved_generator_are_of_the_average",
    ),
    Patch(
        "the schedule is never called",
        "game/players.py",
        "        self.optimizer_config.schedule(self.optimizer, step, steps)\n",
        "",
        PLAY,
    ),
    Patch("beta1 is ignored", "game/optimizers.py", "betas=(self.beta1, self.beta2)", "betas=(0.5, self.beta2)", PLAY),
    Patch(
        "beta2 is ignored", "game/optimizers.py", "betas=(self.beta1, self.beta2)", "betas=(self.beta1, 0.999)", PLAY
    ),
    Patch("the projection is never called", "game/players.py", "        self.project()\n", "", PLAY),
    Patch(
        "the Fréchet bootstrap resamples the fakes only",
        "metrics/frechet.py",
        "frechet_distance(_resample(fake, rng), _resample(real, rng))",
        "frechet_distance(_resample(fake, rng), real)",
        f"{METRICS}/test_frechet.py::test_the_bootstrap_resamples_both_sets",
    ),
    Patch(
        "the Fréchet bootstrap resamples the real samples only",
        "metrics/frechet.py",
        "frechet_distance(_resample(fake, rng), _resample(real, rng))",
        "frechet_distance(fake, _resample(real, rng))",
        f"{METRICS}/test_frechet.py::test_the_bootstrap_resamples_both_sets",
    ),
    Patch(
        "the kernel distance's interval is halved",
        "metrics/kernel.py",
        "margin = Z95 *",
        "margin = Z95 / 2 *",
        f"{METRICS}/test_kernel.py::test_the_interval_is_as_wide_as_the_distance_varies",
    ),
)
