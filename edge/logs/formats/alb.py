"""AWS Application Load Balancer: see edge/logs/formats/elb.py, which reads both balancers."""

from __future__ import annotations

from edge.logs.formats.block import Format
from edge.logs.formats.elb import ElbParser

ALB = Format(name="alb", make=lambda: ElbParser(alb=True))
