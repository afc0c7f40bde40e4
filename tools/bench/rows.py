"""What is measured: rules and lists of tensors."""

from dataclasses import dataclass


@dataclass
class Row:
    title: str
    rule: str      # as hand.py and peers.py call it
    pipe: str      # as we call it
    rate: float
    bytes: int     # the fewest a parameter that the rule can move
    shapes: list
    torch: tuple   # how torch runs it
    optax: bool = True


def resnet50():
    """The shapes of ResNet-50's 161 parameters (He et al. 2016)."""
    shapes = [(64, 3, 7, 7), (64,), (64,)]
    inputs = 64
    for width, blocks in ((64, 3), (128, 4), (256, 6), (512, 3)):
        for block in range(blocks):
            shapes += [(width, inputs, 1, 1), (width,), (width,),
                       (width, width, 3, 3), (width,), (width,),
                       (4 * width, width, 1, 1), (4 * width,), (4 * width,)]
            if block == 0:
                shapes += [(4 * width, inputs, 1, 1), (4 * width,),
                           (4 * width,)]
            inputs = 4 * width
    return shapes + [(1000, 2048), (1000,)]


ADAMW = "torch/adamw(lr = 1e-4)"
WRAPPED = f"ema(0.999) | clip_by_global_norm(1.0) | {ADAMW}"
BOTH = ("fused", "foreach")


def rows(small):
    """All rows; small: the same on little tensors, to see that all runs."""
    mi = 2**10 if small else 2**20
    many, some = (100, 10) if small else (10_000, 1_000)
    nets = resnet50()[:12] if small else resnet50()
    return [
        Row("AdamW, one tensor of 64 Mi", "adamw", ADAMW, 1e-4, 28,
            [(64 * mi,)], BOTH),
        Row("Adadelta, one tensor of 16 Mi", "adadelta",
            "keras/adadelta(learning_rate = 1.0)", 1.0, 28, [(16 * mi,)],
            ("foreach", "compile")),
        # optax.nadam is another formula, so its values are not compared.
        Row("NAdam, one tensor of 16 Mi", "nadam",
            "keras/nadam(learning_rate = 1e-4)", 1e-4, 28, [(16 * mi,)],
            ("foreach", "compile")),
        Row("Lion, one tensor of 16 Mi", "lion", "paper/lion(lr = 1e-4)", 1e-4,
            20, [(16 * mi,)], ("foreach", "compile")),
        Row("clip + AdamW + EMA, one tensor of 16 Mi", "clip_adamw_ema",
            WRAPPED, 1e-4, 40, [(16 * mi,)], BOTH),
        Row("clip + AdamW + EMA, ResNet-50", "clip_adamw_ema", WRAPPED, 1e-4,
            40, nets, BOTH),
        Row("AdamW, ResNet-50", "adamw", ADAMW, 1e-4, 28, nets, BOTH),
        Row("AdamW, 1,000 tensors of 1,000", "adamw", ADAMW, 1e-4, 28,
            [(1000,)] * some, BOTH),
        Row("AdamW, 10,000 tensors of 100", "adamw", ADAMW, 1e-4, 28,
            [(100,)] * many, BOTH, optax=False),  # jit takes minutes
    ]
