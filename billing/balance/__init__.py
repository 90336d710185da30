"""Who is about to lose service, why and when: each account's state, its forecast, and grace.

The state is decided in `state_rules`, whether grace runs in `grace_clock`, what customers asked to
be told of in `customer_alerts`; `states` measures, decides and commits. Public nouns: State,
AccountState, Figures, SuspensionTerms, Conditions, Act and Cause (records), GraceClock, Forecast,
Event, Rule.
"""
