"""AWS Application Load Balancer: see edge/formats/elb.py, which reads both balancers."""

from __future__ import annotations

from edge.formats.block import Format
from edge.formats.elb import ElbParser

ALB = Format(name="alb", make=lambda: ElbParser(alb=True))
