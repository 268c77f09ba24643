"""Losses over preferences by their papers' formulas, their gradients by autograd, and TRL's own functions beside them.

Needs `pip install trl` (1.13)."""

from types import SimpleNamespace

import torch
import torch.nn.functional as F
from trl.experimental.cpo.cpo_trainer import CPOTrainer
from trl.experimental.orpo.orpo_trainer import ORPOTrainer
from trl.losses.kto_loss import FusedLinearKTOFunction

from common import GOLDEN, generator, write_json

BETA = 0.3
GAMMA = 0.5
LAMBDA = 0.25
WEIGHTS = (1.5, 0.75)
ANSWERS = 6


def data(seed):
    """Sequences as (logprobs, weights): a prompt that does not count, and an answer some of whose tokens do not either."""
    g = generator(seed)
    out = []
    for i in range(2 * ANSWERS):
        prompt, answer = 1 + i % 3, 2 + (5 * i) % 4
        logprobs = -3 * torch.rand(prompt + answer, generator=g) - 0.01
        weights = torch.tensor([0.0] * prompt + [1.0] * answer)
        if i % 4 == 1:
            weights[-1] = 0
        out.append((logprobs.float().double().requires_grad_(), weights.double()))
    return out


def total(sequence):
    return (sequence[0] * sequence[1]).sum()


def mean(sequence):
    return total(sequence) / sequence[1].sum()


def taken(sequences, loss, **more):
    gradients = torch.autograd.grad(loss, [p for p, _ in sequences], allow_unused=True)
    gradients = [torch.zeros_like(p) if g is None else g for g, (p, _) in zip(gradients, sequences)]
    return {"loss": loss.item(), "gradients": [g.tolist() for g in gradients], **{k: float(v) for k, v in more.items()}}


def close(a, b):
    assert abs(float(a) - float(b)) < 2e-6, (a, b)


def dpo(sequences, reference):
    d = torch.stack([total(s) for s in sequences]) - reference
    loss = -F.logsigmoid(BETA * (d[0::2] - d[1::2])).mean()
    return taken(sequences, loss, margin=BETA * (d[0::2] - d[1::2]).mean())


def simpo(sequences):
    p = torch.stack([mean(s) for s in sequences])
    loss = -F.logsigmoid(BETA * (p[0::2] - p[1::2]) - GAMMA).mean()
    own = SimpleNamespace(alpha=0.0, beta=BETA, simpo_gamma=GAMMA, label_smoothing=0, loss_type="simpo",
                          accelerator=SimpleNamespace(device="cpu"))
    close(CPOTrainer.cpo_loss(own, p[0::2], p[1::2])[0].mean(), loss)
    return taken(sequences, loss, margin=BETA * (p[0::2] - p[1::2]).mean())


def orpo(sequences):
    p = torch.stack([mean(s) for s in sequences])
    odds = p - torch.log1p(-p.exp())
    difference = odds[0::2] - odds[1::2]
    loss = (-p[0::2] - LAMBDA * F.logsigmoid(difference)).mean()
    own = SimpleNamespace(beta=LAMBDA, accelerator=SimpleNamespace(device="cpu"))
    losses, _, _, _, log_odds = ORPOTrainer.odds_ratio_loss(own, p[0::2], p[1::2])
    close((-p[0::2]).mean() - losses.mean(), loss)
    close(log_odds, difference.mean())
    return taken(sequences, loss, log_odds=difference.mean(), nll=-p[0::2].mean())


def kto(sequences, reference, good):
    d = torch.stack([total(s) for s in sequences]) - reference
    answers, others = d[0::2], d[1::2]
    z = others.mean().detach().clamp(min=0)
    losses = torch.where(good, WEIGHTS[0] * (1 - torch.sigmoid(BETA * (answers - z))),
                         WEIGHTS[1] * (1 - torch.sigmoid(BETA * (z - answers))))
    plain = torch.where(good, 1 - torch.sigmoid(BETA * (answers - z)), 1 - torch.sigmoid(BETA * (z - answers)))
    p = torch.stack([total(s) for s in sequences])[0::2]
    close(FusedLinearKTOFunction.preference_loss_fn(p, good, good, reference[0::2], BETA, z)[0], plain.mean())
    rewards = BETA * answers
    return taken(sequences, losses.mean(), kl=z, chosen_reward=rewards[good].mean(), rejected_reward=rewards[~good].mean())


if __name__ == "__main__":
    sequences = data(71)
    reference = torch.stack([total(s).detach() for s in sequences]) + torch.randn(2 * ANSWERS, generator=generator(72)).double()
    good = torch.tensor([True, False, True, True, False, True])
    near = reference + 4  # so far above that the distance is clamped at 0
    made = {
        "beta": BETA, "gamma": GAMMA, "lambda": LAMBDA, "weights": WEIGHTS, "good": good.tolist(),
        "logprobs": [p.tolist() for p, _ in sequences], "data_weights": [w.tolist() for _, w in sequences],
        "reference": reference.tolist(), "reference_above": near.tolist(),
        "dpo": dpo(sequences, reference), "simpo": simpo(sequences), "orpo": orpo(sequences),
        "kto": kto(sequences, reference - 1, good), "reference_below": (reference - 1).tolist(),
        "kto_clamped": kto(sequences, near, good),
    }
    assert made["kto"]["kl"] > 0.1 and made["kto_clamped"]["kl"] == 0
    write_json(GOLDEN / "preferences.json", made)
