"""The commands of `edgetoll edge https`, in the order in which its help names them."""

from __future__ import annotations

import typer

from edge.https.commands import domains, serving

app = typer.Typer(
    add_completion=False,
    no_args_is_help=True,
    help="HTTPS of each domain: certificates, redirect, HSTS, TLS; and this edge's nginx.\n\n"
    "Example: edgetoll edge https enable www.shop.example --certificate chain.pem --key key.pem"
    " --origin https://origin.shop.example",
)
for command in (domains.enable, domains.renew, domains.disable):
    app.command()(command)
app.command("set")(domains.set_options)
for other in (domains.show, serving.check, serving.apply, serving.expiring):
    app.command()(other)
