"""States in every format under parameters of every format: the interpreter and
compiled code round alike."""

import pytest

from harness import call
from test_compositions import TARGETS

FORMATS = ["f64", "f32", "bf16", "f16"]
RULE = """
rule stored {{
  rate lr = 0.1
  state m: like p as {0} = 0
  state n: like p as {0} = p
  m' = lerp(m, g, 0.1)
  n' = max(n, m')
  p' = p - lr*n'
}}
"""


@pytest.mark.parametrize("param", FORMATS)
@pytest.mark.parametrize("state", FORMATS)
def test_state_format(tmp_path, state, param):
    rule = tmp_path / "stored.upd"
    rule.write_text(RULE.format(state))
    for threads, target in TARGETS:
        call([rule, "--check", "--param", param, "--target", target,
              "--threads", threads, "--sizes", "0,1,7,127,4097"])
