"""metering: counts each event exactly once and proves which hours are complete.

Nouns (`closed`, `source`) <- decisions (`progress`, `closing`, `counting`, `intake`) <- adapters
(`store`, `checkpoint`, `spool_source`, `live`) <- wiring (`worker`, `cli`).
"""
