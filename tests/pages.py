#!/usr/bin/env python3
"""Do the man pages say what the programs take, and nothing else?

For each program: the options and commands of its --help are those of its page
(the list in OPTIONS, the list in COMMANDS), each command takes the same options
in SYNOPSIS as in the usage, every option that an example gives a program is one
of its own, and the sections that each page has are there. Pages of
configuration files are made from the tables of options (doc/pages), which
answers the same for them; here only their sections and references are looked at.

usage: pages.py BUILD    from the source's folder
"""
import pathlib
import re
import subprocess
import sys

SECTIONS = {"1": ["NAME", "SYNOPSIS", "DESCRIPTION", "COMMANDS", "OPTIONS",
                  "FILES", "EXIT STATUS", "EXAMPLES", "SEE ALSO"],
            "5": ["NAME", "DESCRIPTION", "FILES", "EXAMPLES", "SEE ALSO"]}
SECTIONS["8"] = SECTIONS["1"]
OPTION = r"--([a-z][a-z-]*)"


class Page:
    """A page in mdoc: its sections, as lists of lines."""

    def __init__(self, path):
        self.path, self.name = path, path.name.rsplit(".", 1)[0]
        self.section, self.sections = path.name.rsplit(".", 1)[1], {}
        lines = None
        for line in path.read_text().splitlines():
            if line.startswith(".Sh "):
                lines = self.sections.setdefault(line[4:], [])
            elif lines is not None:
                lines.append(line)

    def entries(self, section, macro):
        """The heads of a section's list that begin with this macro."""
        return [words(line[4:], macro) for line in self.sections[section]
                if line.startswith(f".It {macro} ")]

    def usage(self):
        """For each command of the synopsis, the sets of options it is given."""
        forms, found = [], {}
        for line in self.sections["SYNOPSIS"]:
            if line.startswith(".Nm"):
                forms.append([])
            else:
                forms[-1].append(line)
        for form in forms:
            if not form or not form[0].startswith(".Cm "):
                continue
            options = set()
            for line in form:
                options |= {w[1:] for w in words(line, "Fl")}
            for command in words(form[0][1:], "Cm"):
                found[command] = found.get(command, set()) | options
        return found


def words(line, macro):
    """The words of a line that stand after this macro, up to the next one."""
    found, on = [], False
    for word in line.replace(",", " ").replace(".", " ").split():
        if re.fullmatch("[A-Z][a-z]", word):
            on = word == macro
        elif on and word != "|":
            found.append(word)
    return found


def usage_read(text, program):
    """The same of the usage that --help begins with."""
    usage = text[len("usage:"):text.index("\n\n")]
    found = {}
    for form in re.split(rf"\b{program} | \| ", " ".join(usage.split())):
        if not form.strip():
            continue
        options = set(re.findall(OPTION, form))
        for command in form.split()[0].split("|"):
            found[command] = found.get(command, set()) | options
    return found


def commands_read(text, program):
    """The commands of --help: those of its usage, or, where that does not list
    them, those that stand first in its first list."""
    found = usage_read(text, program)
    if "COMMAND" not in found:
        return found
    listed = re.findall(r"^  ([a-z]+(?: [a-z]+)?)  ", text, re.M)
    return {command: None for command in listed}


def program_check(build, page, complain):
    """Compare one program with its page."""
    text = subprocess.run([f"{build}/{page.name}", "--help"], check=True,
                          capture_output=True, text=True).stdout

    def differ(what, helped, paged):
        for name in sorted(helped - paged):
            complain(f"{page.path}: --help has {what} {name}, the page has not")
        for name in sorted(paged - helped):
            complain(f"{page.path}: the page has {what} {name}, --help has not")

    listed = {w for head in page.entries("OPTIONS", "Fl") for w in head}
    differ("the option", {f"--{o}" for o in re.findall(OPTION, text)},
           {f"-{w}" for w in listed})
    helped = commands_read(text, page.name)
    by_words = None in helped.values()  # two make one: "surb create"
    heads = page.entries("COMMANDS", "Cm")
    paged = {" ".join(h) for h in heads} if by_words else \
        {w for head in heads for w in head}
    differ("the command", set(helped), paged)
    shown = page.usage()
    for command, options in {} if by_words else helped.items():
        if command not in shown:
            complain(f"{page.path}: SYNOPSIS does not show '{command}'")
        differ(f"of '{command}' the option", {f"--{o}" for o in options},
               {f"--{o}" for o in shown.get(command, set())})
    return {f"--{o}" for o in re.findall(OPTION, text)}


def examples_check(pages, options, complain):
    """Is every option in an example one that its program takes?"""
    for page in pages:
        text = "\n".join(page.sections.get("EXAMPLES", []))
        text = text.replace("\\e\n", " ")
        for command in re.split(r"[\n|]|\$\(", text):
            found = re.search(r"\b(brusio-[a-z]+) ", command)
            for option in re.findall(r" (--[a-z-]+)", command):
                if found and option not in options[found.group(1)]:
                    complain(f"{page.path}: an example gives {found.group(1)} "
                             f"the option {option}")


def references_check(pages, complain):
    """Is every page of ours that is referred to there?"""
    there = {(p.name, p.section) for p in pages}
    for page in pages:
        if page.section != page.path.name[-1] or not page.sections:
            complain(f"{page.path}: it is no page")
        for section in SECTIONS[page.section]:
            if not page.sections.get(section):
                complain(f"{page.path}: section {section} is missing")
        for lines in page.sections.values():
            for line in lines:
                to = re.match(r"\.Xr ([^ ]+) ([158])", line)
                if to and to.group(1).startswith(("brusio", "network")) and \
                        to.groups() not in there:
                    complain(f"{page.path}: refers to {to.group(1)}"
                             f"({to.group(2)}), which is not there")


def main():
    if len(sys.argv) != 2:
        print(__doc__, file=sys.stderr)
        return 2
    build, complaints = sys.argv[1], []
    programs = sorted(p.name for p in pathlib.Path(build).glob("brusio-*"))
    made = sorted(pathlib.Path(f"{build}/pages").glob("*.5"))
    by_hand = sorted(p for p in pathlib.Path(".").glob("*/**/*.[158]")
                     if p.parts[0] != "build")
    pages = [Page(p) for p in by_hand + made]
    references_check(pages, complaints.append)
    options = {}
    for page in pages:
        if page.section != "5" and not complaints:
            options[page.name] = program_check(build, page, complaints.append)
    if not complaints:
        examples_check(pages, options, complaints.append)
    for program in programs:
        if program not in [p.name for p in pages]:
            complaints.append(f"{program} has no page")
    for complaint in complaints:
        print(f"pages: {complaint}")
    if not complaints:
        print(f"pages: {len(pages)} pages, {len(options)} programs: each page "
              "says what its program takes")
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
