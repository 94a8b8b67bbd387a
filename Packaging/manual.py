#!/usr/bin/env python3
"""manual.py DATE < HELP.json > roundhouse.1: the manual page, from what the program says of itself
(`roundhouse --experimental-dump-help`)."""

import json
import re
import sys

FILES = """\
.SH FILES
.TP
.I /etc/roundhouse/roundhouse.yaml
The service's settings: the names of the options without their dashes. Every setting has a variable too,
.B ROUNDHOUSE_NAME
in capitals with an underscore for each dash. An option beats the environment, which beats the file.
.TP
.I /etc/roundhouse/environment
Variables of the service, for secrets.
.SH SIGNALS
.TP
.B SIGTERM\\fR, \\fBSIGINT
No new peers; those that are there have drain-seconds to leave. A second one ends the server at once.
.TP
.B SIGHUP
Reads the file, the keys and the certificates again. A file with an error changes nothing, and the log says which.
.SH SEE ALSO
.BR systemctl (1)
"""


def escape(text):
    # A minus that is to be copied, and lines that would begin with a request of roff.
    text = re.sub(r"\s+", " ", text).strip().replace("\\", "\\e").replace("-", "\\-")
    return re.sub(r"^([.'])", r"\\&\1", text)


def option(argument):
    value = f" \\fI{escape(argument['valueName'])}\\fR" if argument["kind"] == "option" else ""
    names = ", ".join(
        "\\fB" + escape(("-" if name["kind"] == "short" else "--") + name["name"]) + "\\fR" + value
        for name in argument.get("names", []))
    return f".TP\n{names or escape(argument['valueName'])}\n{escape(argument.get('abstract', ''))}\n"


def options(command):
    return [argument for argument in command.get("arguments", []) if argument.get("shouldDisplay", True)]


def page(command, date):
    name = command["commandName"]
    shared = {argument["valueName"] for argument in options(command)}
    text = f'.TH {name.upper()} 1 "{date}" Roundhouse "User Commands"\n'
    text += f".SH NAME\n{name} \\- {escape(command['abstract'].removeprefix('Roundhouse, ').rstrip('.'))}\n"
    text += f".SH SYNOPSIS\n.B {name}\n[\\fIoptions\\fR]\n"
    subcommands = [one for one in command.get("subcommands", []) if one["commandName"] != "help"]
    for one in subcommands:
        text += f".br\n.B {name} {escape(one['commandName'])}\n[\\fIoptions\\fR]\n"
    text += f".SH DESCRIPTION\nRuns the server. {escape(command.get('discussion', ''))}\n.SH OPTIONS\n"
    text += "".join(map(option, options(command)))
    text += ".SH COMMANDS\n"
    for one in subcommands:
        text += f".SS {escape(one['commandName'])}\n{escape(one['abstract'])} {escape(one.get('discussion', ''))}\n"
        own = [argument for argument in options(one) if argument["valueName"] not in shared]
        text += "".join(map(option, own))
        text += ".PP\nThe options above are accepted too.\n"
    return text + FILES


if __name__ == "__main__":
    sys.stdout.write(page(json.load(sys.stdin)["command"], sys.argv[1]))
