"""Muon: a route for matrices, another for all else."""

import keras

from ._base import Compiled, Rule
from ._recipe import boxes_of


@keras.saving.register_keras_serializable(package="updraft")
class Muon(Compiled, keras.optimizers.Muon):
    __doc__ = keras.optimizers.Muon.__doc__
    _rule = Rule(
        "keras/muon",
        options=[("muon.ns_steps", "ns_steps"), ("muon.nesterov", "nesterov"),
                 ("muon.scales", lambda own: own.rms_rate is not None)],
        hypers=[*((f"muon.{name}", name) for name in (
                    "momentum", "muon_a", "muon_b", "muon_c")),
                ("muon.rms_rate", lambda own: own.rms_rate or 0),
                ("adam.beta_1", "adam_beta_1"), ("adam.beta_2", "adam_beta_2"),
                ("adam.epsilon", "epsilon"),
                ("adam_ratio.factor", "adam_lr_ratio"),
                ("decay.weight_decay", lambda own: own.weight_decay or 0),
                ("adam_decay.weight_decay",
                 lambda own: own.adam_weight_decay or 0)],
        states={"muon.m": "momentums", "adam.momentum": "momentums",
                "adam.velocity": "adam_velocities"},
        tags={"embedding": "_should_use_adamw"}, routed=True)

    def _boxes(self):
        # A decay is part of each route.
        return [box for box in boxes_of(self) if box[0] != "weight_decay"]
