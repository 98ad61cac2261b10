// What a pool's spec asks for, field by field: units, explanations, and what there is to choose.

/** What stands behind a field, by its name; the unit of the number that is asked for. */
export const HELP = {
  name: ["", "Tells pools, feeds or instruments apart."], settlement: ["", "Asset that profit, loss and debt are paid in."], settlement_decimals: ["", "Decimals of its smallest unit, as the venue lists it."],
  cash_cap: ["settlement", "Most of it in all accounts together."], salt: ["", "Tells otherwise equal pools of one creator apart."], price_max: ["settlement", "Above it no price is accepted; bounds every value."],
  hedge_rate: ["share", "Margin on notional hedged by another leg."], open_interest_lower: ["settlement", "From here on the initial rate rises with open interest."], open_interest_upper: ["settlement", "Here the initial rate is the whole notional."],
  asset: ["", "Accepted besides the settlement asset."], underlying: ["", "Feed whose index price values it."], deposit_cap: ["coins", "In all accounts together."],
  lot: ["contracts", "Step of sizes."], tick: ["settlement", "Step of prices."], position_cap: ["contracts", "Of one account."], open_interest_cap: ["contracts", "Of all long sides."], expiry_ns: ["ns, Unix time", "0 for a perpetual, else when it expires."],
  price_band: ["share", "How far a trade may be from the mark price."], taker_fee: ["share", "Of the notional, to insurance fund and backstop."], maker_fee: ["share", "Of the notional, to insurance fund and backstop."], funding_rate_max: ["share", "Of the mark price for one accrual."],
  tiers: ["", "Margin rises with net notional; the first tier begins at 0."], floor: ["settlement", "Net notional from which the tier holds."], initial: ["share", ""], maintenance: ["share", ""], target: ["share", ""], closeout: ["share", ""],
  haircut: ["", "Taken off the index price at each margin level; must not rise from initial to closeout."], factor: ["", "Of the tiers at each margin level; a liquidation stops at target."],
  rate_base: ["share a year", "Borrow rate when nothing is drawn."], rate_slope1: ["share a year", "Added from there to the kink."], rate_slope2: ["share a year", "Added from the kink to full utilisation."], rate_kink: ["share", "Utilisation at the kink."],
  reserve_factor: ["share", "Of interest, to the insurance fund."], supply_cap: ["settlement", "Lent to the pool at most."], borrow_cap: ["settlement", "Total debt at most."], profit_weight: ["share", "Of uncollected profit that counts as initial margin."],
  bonus_min: ["share", "Liquidation bonus at health factor 1."], bonus_max: ["share", "At bonus health and below."], bonus_health: ["health", "Health factor of the full bonus."], liquidation_fee: ["share", "Of the liquidated notional, to the insurance fund."],
  dust: ["settlement", "What is left of a position is not worth less."], insurance_draw: ["share", "Of the insurance fund that one event may draw."], confidence_max: ["share", "Of the price; wider is uncertain."],
  stale_seconds: ["s", "Age at which a price is stale."], long_stale_seconds: ["s", "Age at which it counts as an outage."], grace_seconds: ["s", "To add collateral after an outage."], change_delay_seconds: ["s", "Notice before a parameter changes."], ramp_seconds: ["s", "Shortest ramp of a change that touches requirements."],
  backstop_limit: ["settlement", "Notional that the backstop may take over in an epoch."], backstop_reserve: ["share", "Of its notional that its equity must cover after a takeover; at 0 it takes anything."], epoch_seconds: ["s", "Epoch of that limit, counted from 1970."],
  insurance_draw_day: ["share", "Of the insurance fund that one day may draw."], disposal: ["share", "Of a holding that the backstop sells at a time."], disposal_seconds: ["s", "Between two such sales."],
  auction_start: ["share", "Of its worth that a slice costs at first."], auction_floor: ["share", "Of its worth that a slice costs at the end."], auction_seconds: ["s", "From start to floor; at 0 the pool holds no auctions."],
  auction_resets: ["times", "That an auction begins anew before the backstop is asked."], auction_cap: ["settlement", "Notional and debt of the accounts under auction together."], insurance_share: ["share", "Of trading fees, to the insurance fund; the rest to the backstop."],
  stress: ["share", "Move of all prices behind the insurance fund's target."], halt_loss: ["settlement", "Losses that nobody paid at which the pool halts."], halt_seconds: ["s", "Notice between the halt and the final settlement."],
  option_rate: ["", "Model scenario: of the index price, for each option sold net at a strike."], linear_rate: ["", "Model scenario: of the notional of perpetuals and futures."], is_offsetting: ["", "Model scenario: whether it moves in the scenarios of its underlying."],
  model: ["", "How margin is computed; a pool with options needs another one than brackets."], grid: ["", "Model scenario: preset that risk arrays are made with, such as deribit-like."], scenarios: ["", "Model scenario: the rows of its grid."],
  move: ["share", "How far spot goes, times the part of profit and loss that counts."], kind: ["", "Of two rows that belong together, the second is the partner."], standard: ["", "Model standard: rates of its rules."],
  option_rate_max: ["share", "Of the index price: an option sold, at the money, initial."], option_rate_min: ["share", "The same far out of the money."], call_rate: ["share", "Of the index price: a call sold, maintenance."], put_rate: ["share", "Of the index price: a put sold, maintenance."],
  put_value_rate: ["share", "Of the mark of a put sold, where that is more."], offset_scale: ["times", "Maintenance and mark of a put sold, at least, initial."], unpaired_initial: ["times", "The index price, for each call sold and not bought, in the largest loss."], unpaired_maintenance: ["times", "The same at maintenance."],
  option: ["", "Settled in cash at expiry."], strike: ["settlement", "Of an option; else 0."], settlement_window_seconds: ["s", "Before expiry, over which the settlement price is averaged."],
};
/** Fields of a few words to choose from: what is sent, and how it reads. */
export const CHOICES = {
  option: [["", "no option"], ["call", "call"], ["put", "put"]],
  model: [["brackets", "brackets: tiers of leverage"], ["standard", "standard: rules for each option"], ["scenario", "scenario: the worst of a grid"], ["collateralised", "collateralised: the largest loss"]],
  kind: ["single", "lower", "loss", "size", "partner"].map((one) => [one, one]),
};
