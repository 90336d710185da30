-- Answers: nothing; stores the month-to-date of replayed accounts.
-- Grain: account × month × item × region × rate card.
-- Reads: effect_month_state.
INSERT INTO month_state BY NAME SELECT * FROM effect_month_state;
