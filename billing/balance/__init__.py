"""Who is about to lose service, why and when: states, forecast, alerts, and who has been told."""
