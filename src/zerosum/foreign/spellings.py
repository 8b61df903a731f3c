"""The names that programs give to what is logged of a GAN's training, and zerosum's name for each."""

import functools
import re

SPELLINGS = {
    "step": "step steps iter iters iteration iterations it itr globalstep niter batchesdone trainerglobalstep",
    "images": "nimg images imgs curnimg",
    "kimg": "kimg progresskimg",
    "epoch": "epoch epochs ep",
    "batch": "batch batchidx batchindex minibatch",
    "discriminator_loss": "dloss lossd errd derr derror discriminatorloss lossdiscriminator discloss lossdisc disloss "
    "lossdis criticloss losscritic d dtotalloss lossdtotal dlosstotal netdloss lossdloss "
    "discriminator discriminatorerr",
    "generator_loss": "gloss lossg errg gerr gerror generatorloss lossgenerator genloss lossgen g gtotalloss "
    "lossgtotal glosstotal netgloss lossgloss generator generatorerr",
    "discriminator_loss_real": "discriminatorlossreal dlossreal lossdreal drealloss errdreal reallossd "
    "lossreal realloss",
    "discriminator_loss_fake": "discriminatorlossfake dlossfake lossdfake dfakeloss errdfake fakelossd "
    "lossfake fakeloss",
    "penalty": "gp penalty gradientpenalty gradpenalty gploss lossgp r1 r1penalty lossr1penalty lossr1 r1loss "
    "lossdreg dreg dgp dr1",
    "d_real": "dreal dx realscore dxmean drealprob dprobreal dxreal",
    "d_fake": "dfake dgz dgz1 fakescore dfakeprob dprobfake dgzbefore",
    "d_fake_after": "dfakeafter dgz2 dgzafter",
    "real_logit": "reallogit reallogits lossscoresreal drealmean dreallogit outputreal scoresreal",
    "fake_logit": "fakelogit fakelogits lossscoresfake dfakelogit outputfake scoresfake",
    "real_accuracy": "realaccuracy accreal realacc daccreal drealacc accuracyreal",
    "fake_accuracy": "fakeaccuracy accfake fakeacc daccfake dfakeacc accuracyfake",
    "accuracy": "accuracy acc dacc daccuracy discriminatoraccuracy",
    "pair_accuracy": "pairaccuracy",
    "fid": "fid fid50k fid50kfull fidscore frechetinceptiondistance metricsfid metricsfid50kfull resultsfid50kfull "
    "resultsfid50k bestfid valfid",
    "kid": "kid kid50k kid50kfull kidscore resultskid50kfull",
    "inception_score": "inceptionscore is is50k isscore ismean resultsis50k",
    "precision": "precision pr50k3fullprecision resultspr50k3fullprecision",
    "recall": "recall pr50k3fullrecall resultspr50k3fullrecall",
    "augment_p": "augmentp progressaugment augp adap",
    "generator_lr": "generatorlr lrg glr",
    "discriminator_lr": "discriminatorlr lrd dlr",
    "generator_gradient": "generatorgradient ggradnorm gradnormg ggrad gradg",
    "discriminator_gradient": "discriminatorgradient dgradnorm gradnormd dgrad gradd",
    "real_as_real": "realasreal",
    "real_as_fake": "realasfake",
    "fake_as_real": "fakeasreal",
    "fake_as_fake": "fakeasfake",
    "seconds": "seconds timingtotalsec elapsedseconds",
}
OWN = {spelling: name for name, words in SPELLINGS.items() for spelling in words.split()}
BEFORE = ("train", "training", "trn", "scalars", "losses", "metrics", "loss")
AFTER = ("step", "epoch", "mean", "avg")
POSITIONS = "step", "images", "kimg", "epoch", "batch"


@functools.lru_cache(maxsize=1_000)  # a loop prints the same names a million times
def recognise(name: str) -> str | None:
    """Return zerosum's name for a column, e.g. `d_fake` for `D(G(z))`; None if it is not known.

    Capitals and punctuation do not matter. A first word such as `train/` and a last one such as `_epoch` are left out.
    """
    words = [word for word in re.split(r"[^a-z0-9]+", name.lower()) if word]
    for first in (0, 1):
        for last in (len(words), len(words) - 1):
            left_out = words[:first], words[last:]
            if set(left_out[0]) <= set(BEFORE) and set(left_out[1]) <= set(AFTER):
                own = OWN.get("".join(words[first:last]))
                if own and not (left_out[1] and own in POSITIONS):
                    return own
    return None
