"""Where an account stands under a model: requirements, excess and health."""

from ringfence.risk.portfolio import scenario, standard
from ringfence.risk.portfolio.book import Account
from ringfence.risk.portfolio.model import Model, ScenarioModel
from ringfence.risk.portfolio.report import Assessment, Health


def assess(account: Account, model: Model) -> Assessment:
    """Compute requirement and excess of every level, by the kind of the model."""
    if isinstance(model, ScenarioModel):
        return scenario.assess(account, model)
    return standard.assess(account, model)


def health(found: Assessment) -> Health:
    """Health factor and margin usage.

        health factor = (cash and collateral + value of positions, if > 0)
                        / (cash owed + value of positions, if < 0, + maintenance requirement)

    so it is 1 where maintenance excess is zero.
    """
    equity = found.equity
    value = equity.perpetuals + equity.options
    have = max(equity.cash, 0.0) + equity.collateral + max(value, 0.0)
    owe = max(-equity.cash, 0.0) + max(-value, 0.0) + found.levels["maintenance"].requirement
    initial = found.levels["initial"].requirement
    return Health(
        health_factor=have / owe if owe > 0 else None,
        health_reason=None if owe > 0 else "nothing is owed or required",
        margin_usage=initial / equity.total if equity.total > 0 else None,
        usage_reason=None if equity.total > 0 else "equity is not positive",
    )
