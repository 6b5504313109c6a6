"""`rustci completion`: print the completion script for a shell."""

import click
from click.shell_completion import get_completion_class

from rustci.errors import ExitCode, UsageError

EPILOG = """\b
Examples:
  rustci completion bash > ~/.local/share/bash-completion/completions/rustci
  rustci completion zsh > "${fpath[1]}/_rustci"
  rustci completion fish > ~/.config/fish/completions/rustci.fish
"""


@click.command(epilog=EPILOG)
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def command(ctx: click.Context, shell: str) -> ExitCode:
    """Print the completion script for SHELL."""
    completion = get_completion_class(shell)
    if completion is None:
        raise UsageError(f"no completion for `{shell}`", hint="bash, zsh and fish are known")
    click.echo(completion(ctx.find_root().command, {}, "rustci", "_RUSTCI_COMPLETE").source())
    return ExitCode.OK
