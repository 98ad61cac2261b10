"""Published cases of Derive's margin managers as portfolios, markets and models of ours."""

from ringfence.risk.portfolio.model import (
    Basis,
    Discount,
    Level,
    Scenario,
    ScenarioModel,
    SkewShock,
    StandardLevel,
    StandardModel,
    VolatilityShock,
)
from ringfence.risk.portfolio.terms import (
    Collateral,
    Expiry,
    Market,
    Option,
    Perpetual,
    Portfolio,
    Underlying,
)

E18 = 1e18
SHOCKS = {
    "Up": "up",
    "None": "none",
    "Down": "down",
    "LINEAR": "linear-skew",
    "ABS": "absolute-skew",
}


def pmrm2(inputs):
    scenario, parameters = inputs["scenario"], inputs["parameters"]
    return portfolio_2(scenario), market_2(scenario), model_2(parameters)


def portfolio_2(s):
    held = [
        Collateral(
            asset=c["Name"],
            amount=c["Amount"],
            price=c["Price"],
            underlying="COIN" if c["IsRiskCancelling"] else None,
            confidence=c["Confidence"],
            haircuts={
                "initial": c["MMHaircut"] + c["IMHaircut"],
                "maintenance": c["MMHaircut"],
            },
        )
        for c in s["Collaterals"]
    ]
    perpetual = Perpetual(
        "COIN",
        s["NumPerps"],
        unrealized_pnl=s["UnrealisedPerpPNL"],
        funding=s["UnrealisedFunding"],
    )
    options = [
        Option(
            "COIN",
            str(o["Expiry"]),
            o["Strike"],
            "call" if o["IsCall"] else "put",
            o["Amount"],
            o["MarkVol"],
        )
        for o in s["Options"]
    ]
    return Portfolio(s["Cash"], tuple(held), (perpetual,), tuple(options))


def market_2(s):
    expiries = {
        str(f["FeedExpiry"]): Expiry(
            forward=f["Forward"],
            seconds=f["FeedExpiry"],
            rate=f["Rate"],
            confidence=min(f["ForwardConfidence"], f["RateConfidence"], f["OptionVolConfidences"]),
        )
        for f in s["OptionFeeds"]
    }
    coin = Underlying(
        spot=s["SpotPrice"],
        confidence=s["SpotConfidence"],
        perpetual=s["PerpPrice"] or None,
        perpetual_confidence=s["PerpConfidence"],
        expiries=expiries,
    )
    return Market({"COIN": coin}, s["StablePrice"])


def model_2(p):
    vol, skew, margin = p["VolShock"], p["SkewShock"], p["Margin"]
    basis, other = p["BasisContingency"], p["OtherContingency"]
    return ScenarioModel(
        name="pmrm2",
        scenarios=tuple(
            Scenario(
                spot=row["SpotShock"] - 1,
                volatility=SHOCKS[row["VolShockDirection"]],
                dampening=row["DampeningFactor"],
            )
            for row in p["Scenarios"]
        ),
        volatility=VolatilityShock(
            up=vol["VOLRANGEUP"],
            down=vol["VOLRANGEDOWN"],
            floor=vol["MIN_VOL_EVAL_SHOCKED"],
            short_power=vol["SHORTTERMPOWER"],
            long_power=vol["LONGTERMPOWER"],
            days_min=vol["DTE_FLOOR"],
        ),
        skew=SkewShock(
            linear_cap=skew["LINEAR_SCALE_CAP"],
            linear_slope=skew["LINEAR_CBASE"],
            absolute_cap=skew["ABS_SCALE_CAP"],
            absolute_slope=skew["ABS_CBASE"],
            width_min=skew["MIN_K_STAR"],
            width_scale=skew["MIN_WIDTH_SCALE"],
            width_static=skew["VOL_PARAM_STATIC"],
            width_slope=skew["VOL_PARAM_SCALE"],
        ),
        discount=Discount(
            gain_factor=margin["BASE_STATIC_DISCOUNT"],
            gain_rate_scale=margin["LONG_RATE_MULTSCALE"],
            gain_rate_add=margin["LONG_RATE_ADDSCALE"],
            loss_factor=margin["BASE_STATIC_DISCOUNT_NEG"],
            loss_rate_scale=margin["SHORT_RATE_MULTSCALE"],
            loss_rate_add=margin["SHORT_RATE_ADDSCALE"],
        ),
        basis=Basis(
            up=basis["SCENARIO_SPOT_UP"] - 1,
            down=basis["SCENARIO_SPOT_DOWN"] - 1,
            add=basis["BASIS_CONT_ADD_FACTOR"],
            per_year=basis["BASIS_CONT_MULT_FACTOR"],
        ),
        levels={
            "initial": Level(
                loss_factor=margin["IM_LOSS_FACTOR"],
                option_rate=other["MM_OPTION_PERCENT"] + other["IM_OPTION_PERCENT"],
                perpetual_rate=other["MM_PERP_PERCENT"] + other["IM_PERP_PERCENT"],
                confidence_rate=other["CONF_MARGIN"],
                peg_factor=other["PEG_LOSS_FACTOR"],
            ),
            "maintenance": Level(
                loss_factor=margin["MM_LOSS_FACTOR"],
                option_rate=other["MM_OPTION_PERCENT"],
                perpetual_rate=other["MM_PERP_PERCENT"],
            ),
        },
        confidence_threshold=other["CONF_THRESHOLD"],
        peg_threshold=other["PEG_LOSS_THRESHOLD"],
        rate_min=0.0,
        settlement_window_seconds=1800,
    )


def listed(s, underlyings, rates, rate_confidences):
    """Options of the older cases, and the expiries of each underlying."""
    options, expiries = [], {}
    columns = (
        underlyings,
        s["OptionExpiries"],
        s["OptionStrikes"],
        s["OptionIsCall"],
        s["OptionAmounts"],
        s["OptionVols"],
        s["Forwards"],
        s["OptionVolConfidences"],
        s["ForwardConfidences"],
        rates,
        rate_confidences,
    )
    rows = zip(*columns, strict=True)
    for coin, seconds, strike, is_call, size, vol, forward, *confidences in rows:
        rate = confidences.pop(2)
        side = "call" if is_call else "put"
        options.append(Option(coin, str(seconds), strike / E18, side, size / E18, vol / E18))
        seen = expiries.setdefault(coin, {}).get(str(seconds))
        lowest = min(confidences) / E18
        if seen is not None:
            lowest = min(lowest, seen.confidence)
        expiries[coin][str(seconds)] = Expiry(
            forward=forward / E18, seconds=seconds, rate=rate / E18, confidence=lowest
        )
    return tuple(options), expiries


def pmrm1(inputs):
    s, p = inputs["scenario"], inputs["parameters"]
    options, expiries = listed(
        s, ["COIN"] * len(s["OptionStrikes"]), s["Rates"], s["RateConfidences"]
    )
    coin = Underlying(
        spot=s["SpotPrice"] / E18,
        confidence=s["SpotConfidence"] / E18,
        perpetual=s["PerpPrice"] / E18,
        perpetual_confidence=s["PerpConfidence"] / E18,
        expiries=expiries.get("COIN", {}),
    )
    perpetual = Perpetual(
        "COIN",
        s["Perps"] / E18,
        unrealized_pnl=s["UnrealisedPerpPNL"] / E18,
        funding=s["UnrealisedFunding"] / E18,
    )
    base = Collateral("COIN", s["Base"] / E18, underlying="COIN")
    portfolio = Portfolio(s["Cash"] / E18, (base,), (perpetual,), options)
    return portfolio, Market({"COIN": coin}, s["StablePrice"] / E18), model_1(p)


def model_1(p):
    def level(factor, **more):
        return Level(
            loss_factor=factor,
            option_rate=p["option_percent"],
            perpetual_rate=p["perp_percent"],
            offsetting_haircut=p["base_percent"],
            is_scaling_contingencies=True,
            **more,
        )

    return ScenarioModel(
        name="pmrm1",
        scenarios=tuple(
            Scenario(spot=row["spot_shock"] - 1, volatility=SHOCKS[row["vol_shock"]])
            for row in p["scenarios"]
        ),
        volatility=VolatilityShock(
            up=p["vol_up"],
            down=p["vol_down"],
            short_power=p["short_power"],
            long_power=p["long_power"],
            days_min=p["dte_floor_days"],
        ),
        discount=Discount(
            gain_factor=p["base_static_discount"],
            gain_rate_scale=p["rate_mult"],
            gain_rate_add=p["rate_add"],
        ),
        basis=Basis(
            up=p["scenario_spot_up"] - 1,
            down=p["scenario_spot_down"] - 1,
            add=p["basis_add"],
            per_year=p["basis_mult"],
        ),
        levels={
            "initial": level(
                p["im_factor"], confidence_rate=p["conf_margin"], peg_factor=p["peg_factor"]
            ),
            "maintenance": level(1.0),
        },
        confidence_threshold=p["conf_threshold"],
        peg_threshold=p["peg_threshold"],
        is_discounting_marks=False,
    )


def srm(inputs):
    s, p = inputs["scenario"], inputs["parameters"]
    options, expiries = listed(s, s["OptionUnderlying"], s["Discounts"], s["DiscountConfidences"])
    underlyings, perpetuals, held = {}, [], []
    for k, coin in enumerate(("ETH", "BTC")):
        spot, perpetual = (c / E18 for c in s["SpotPerpConfidences"][k])
        underlyings[coin] = Underlying(
            spot=s[f"{coin}SpotPrice"] / E18,
            confidence=spot,
            perpetual=s["PerpPrice"][k] / E18,
            perpetual_confidence=perpetual,
            expiries={
                name: settling(s, coin, expiry) for name, expiry in expiries.get(coin, {}).items()
            },
        )
        held.append(Collateral("w" + coin, s["w" + coin] / E18, underlying=coin))
        size = s[f"Perps_{coin}"] / E18
        if size:
            moved = s[f"Account{coin}FundingIndex"] - s[f"{coin}GlobalFundingIndex"]
            entry = s[f"LastEntry{coin}"] / E18
            perpetuals.append(Perpetual(coin, size, entry, funding=size * moved / E18))
    portfolio = Portfolio(s["Cash"] / E18, tuple(held), tuple(perpetuals), options)
    return portfolio, Market(underlyings, s["USDCValue"] / E18), model_standard(p)


def settling(s, coin, expiry):
    """An expiry, with what is settled of it in the last half hour."""
    if expiry.seconds >= 1800:
        return expiry
    return Expiry(
        forward=expiry.forward,
        seconds=expiry.seconds,
        rate=expiry.rate,
        confidence=expiry.confidence,
        settled=s[f"TWAP_{coin}"] / E18,
        settled_share=s[f"PercentFixed{coin}"],
    )


def model_standard(p):
    return StandardModel(
        name="srm",
        levels={
            "initial": StandardLevel(
                unpaired_scale=p["unpairedIMScale"],
                perpetual_rate=p["imPerpReq"],
                collateral_factor=p["base_margin_factor"] * p["base_im_scale"],
            ),
            "maintenance": StandardLevel(
                unpaired_scale=p["unpairedMMScale"],
                perpetual_rate=p["mmPerpReq"],
                collateral_factor=p["base_margin_factor"],
            ),
        },
        option_rate_max=p["maxSpotReq"],
        option_rate_min=p["minSpotReq"],
        call_rate=p["mmCallSpotReq"],
        put_rate=p["mmPutSpotReq"],
        put_value_rate=p["MMPutMtMReq"],
        offset_scale=p["mmOffsetScale"],
        confidence_threshold=p["oracle_threshold"],
        confidence_rate=p["OCFactor"],
        peg_threshold=p["depeg_threshold"],
        peg_factor=p["depeg_factor"],
    )
