#!/usr/bin/env python3
"""Do branches or addresses depend on what a function loads? On machine code.

usage: registers.py [--public FUNCTION]... OBJECT...

For code that valgrind cannot run (AVX-512). Follows the general registers of
every x86-64 function in the objects through its control flow: whatever comes
from memory or out of a vector or mask register counts as secret, what a
function is given (pointers, counts) and constants do not. Reported are a
conditional jump on flags that a secret has set, an address made of a secret, a
division of one, a gather or scatter, and a secret passed to a function.

Spill slots, and vector registers that a general one was moved to, keep what was
put there; every other load from the stack is secret. --public names a function
that is never given secrets.
An instruction it does not know is an error, so that nothing is passed over.
Exits 0 (nothing depends), 1 (something does), 2 (cannot tell).
"""
import re
import subprocess
import sys

FAMILIES = {}
for name in ('ax', 'bx', 'cx', 'dx'):
    for form in ('r' + name, 'e' + name, name, name[0] + 'l', name[0] + 'h'):
        FAMILIES[form] = 'r' + name
for name in ('si', 'di', 'bp', 'sp'):
    for form in ('r' + name, 'e' + name, name, name + 'l'):
        FAMILIES[form] = 'r' + name
for number in range(8, 16):
    for form in ('', 'd', 'w', 'b'):
        FAMILIES['r%d%s' % (number, form)] = 'r%d' % number
GENERAL = set(FAMILIES.values())
ARGUMENTS = ('rdi', 'rsi', 'rdx', 'rcx', 'r8', 'r9')
CALL_CHANGES = set(ARGUMENTS) | {'rax', 'r10', 'r11'}
VECTOR = re.compile(r'^[xyz]mm\d+|^k\d')
MEMORY = re.compile(r'\[([^\]]*)\]')
SIZES = {'BYTE': 1, 'WORD': 2, 'DWORD': 4, 'QWORD': 8, 'XMMWORD': 16,
         'YMMWORD': 32, 'ZMMWORD': 64}

MOVES = {'mov', 'movzx', 'movsx', 'movsxd', 'movabs'}
SETS_FLAGS = {'add', 'sub', 'and', 'or', 'xor', 'inc', 'dec', 'neg', 'shl',
              'shr', 'sar', 'rol', 'ror', 'imul', 'bt', 'andn', 'adc', 'sbb',
              'shld', 'shrd', 'bts', 'btr'}
READS_FLAGS = {'adc', 'sbb'}
NO_FLAGS = {'not', 'rorx', 'shlx', 'shrx', 'sarx', 'mulx', 'bswap', 'cdqe',
            'cqo', 'cdq'}
COMPARES = {'cmp', 'test'}
NOTHING = {'nop', 'endbr64', 'vzeroupper', 'leave', 'ret', 'data16', 'cs',
           'nopw', 'nopl', 'xchg', 'hlt', 'ud2', 'int3'}


# The arguments of what these files call; of any other function, all six.
EXTERNAL = {'secret_wipe': 2, 'explicit_bzero': 2, 'sodium_memzero': 2,
            '__explicit_bzero_chk': 3, 'pthread_once': 2, '__stack_chk_fail': 0, 'memcpy': 3,
            'memset': 3, 'factor_mul': 3, 'factor_sqr_times': 3, 'fe_mul': 3,
            'fe_sqr': 2, 'fe_invert': 2, 'fe_freeze': 2, 'fe_load': 2, 'fe_store': 2,
            'zero_mend': 2, 'ladder_run': 4, 'comb_run': 3,
            'point_double': 1, 'point_addend': 2, 'groups_finish': 4}


class Unknown(Exception):
    pass


class State:
    """What is secret at one place: registers, flags; which slots are not."""

    def __init__(self, secret=(), flags=False, public=()):
        self.secret = set(secret)
        self.flags = flags
        # (base, displacement) of 8 bytes, or the number of a vector register
        self.public = set(public)

    def copy(self):
        return State(self.secret, self.flags, self.public)

    def join(self, other):
        """Returns whether anything was added."""
        before = (len(self.secret), self.flags, len(self.public))
        self.secret |= other.secret
        self.flags = self.flags or other.flags
        self.public &= other.public
        return before != (len(self.secret), self.flags, len(self.public))


class Instruction:
    def __init__(self, address, text):
        self.address = address
        self.text = text.split('#')[0].strip()
        words = self.text.split(None, 1)
        while words[0] in ('rep', 'repz', 'repnz', 'bnd', 'notrack', '{evex}',
                           '{vex}', 'data16', 'cs') and len(words) > 1:
            words = words[1].split(None, 1)
        self.op = words[0]
        rest = words[1] if len(words) > 1 else ''
        self.operands = [o.strip() for o in split_operands(rest)]
        self.repeated = text.startswith('rep')
        m = re.search(r'<([^+>.]+)[^>]*>', text)
        self.symbol = m.group(1) if m else ''

    def target(self):
        m = re.match(r'^([0-9a-f]+)\b', self.operands[0])
        return int(m.group(1), 16) if m else None


def split_operands(text):
    out, depth, part = [], 0, ''
    for c in text:
        depth += c in '[{<'
        depth -= c in ']}>'
        if c == ',' and depth == 0:
            out.append(part)
            part = ''
        else:
            part += c
    if part.strip():
        out.append(part)
    return out


def registers_of(text):
    return {FAMILIES[w] for w in re.findall(r'[a-z0-9]+', text)
            if w in FAMILIES}


def slot_of(operand):
    """(base, displacement) if it is rsp or rbp and a number, else None."""
    m = MEMORY.search(operand)
    if not m or ':' in operand:
        return None
    m = re.match(r'^(rsp|rbp)(?:([+-])(0x[0-9a-f]+|\d+))?$', m.group(1))
    if not m:
        return None
    offset = int(m.group(3), 0) if m.group(3) else 0
    return (m.group(1), -offset if m.group(2) == '-' else offset)


def width_of(operand):
    m = re.match(r'^(\w+) PTR', operand)
    return SIZES.get(m.group(1), 64) if m else 64


class Function:
    def __init__(self, name, instructions, report):
        self.name = name
        self.code = instructions
        self.at = {i.address: n for n, i in enumerate(instructions)}
        self.report = report

    def run(self):
        states = {0: State()}
        work = [0]
        while work:
            n = work.pop()
            after = states[n].copy()
            for successor in self.step(self.code[n], n, after):
                if successor not in states:
                    states[successor] = after.copy()
                    # a slot known nowhere yet stays as it is found first
                elif not states[successor].join(after):
                    continue
                work.append(successor)

    def say(self, i, what):
        self.report.add((self.name, i.address, i.text, what))

    # ---- values ----

    def is_secret(self, state, operand):
        if operand in FAMILIES:
            return FAMILIES[operand] in state.secret
        if VECTOR.match(operand):
            return operand not in state.public
        if MEMORY.search(operand):
            if 'rip' in operand or 'fs:' in operand:
                return False  # constants, the base point's table, the canary
            slot = slot_of(operand)
            return slot is None or slot not in state.public
        return False  # a number

    def write(self, state, operand, secret):
        if operand in FAMILIES:
            family = FAMILIES[operand]
            if family == 'rsp':
                state.public = {s for s in state.public if s[0] != 'rsp'}
            elif secret:
                state.secret.add(family)
            else:
                state.secret.discard(family)
            if family == 'rbp':
                state.public = {s for s in state.public if s[0] != 'rbp'}
            return
        slot = slot_of(operand)
        if slot is None:
            if VECTOR.match(operand):
                number = re.match(r'[a-z]+\d+', operand).group(0)
                state.public -= {k + number[3:] for k in ('xmm', 'ymm', 'zmm')}
                if not secret:
                    state.public.add(number)
            return
        base, at = slot
        width = width_of(operand)
        state.public = {s for s in state.public
                        if s[0] != base or s[1] + 8 <= at or
                        at + width <= s[1]}
        if not secret and width <= 8:
            state.public.add(slot)

    # ---- one instruction: changes state, returns the indices that follow ----

    def step(self, i, n, state):
        op, o = i.op, i.operands
        if op != 'lea' and not op.startswith('nop'):
            for operand in o:
                m = MEMORY.search(operand)
                if m and registers_of(m.group(1)) & state.secret:
                    self.say(i, 'address of a secret')
        if op.startswith('j') and op != 'jmp':
            if state.flags or op in ('jrcxz', 'jecxz'):
                self.say(i, 'jump on a secret')
            return [self.at[i.target()], n + 1]
        if op == 'jmp':
            if i.target() not in self.at:  # into another function: a call
                self.call(i, state)
                return []
            return [self.at[i.target()]]
        if op in ('ret', 'ud2', 'hlt'):
            return []
        if op == 'call':
            self.call(i, state)
        else:
            self.effect(i, state)
        return [n + 1] if n + 1 < len(self.code) else []

    def call(self, i, state):
        if not i.target() and i.operands[0] in FAMILIES:
            self.say(i, 'call through a register')
        for r in ARGUMENTS[:self.arguments(i)]:
            if r in state.secret:
                self.say(i, 'secret passed in ' + r)
        # what a callee leaves in these is read by nobody but in rax; as an
        # argument of the next call it would be a false alarm
        state.secret -= CALL_CHANGES
        state.secret.add('rax')
        state.flags = True

    def arguments(self, i):
        """How many the callee takes; of an unknown one, all."""
        return EXTERNAL.get(i.symbol, len(ARGUMENTS))

    def effect(self, i, state):
        op, o = i.op, i.operands
        if op in NOTHING:
            if op == 'xchg' and len(o) == 2 and o[0] != o[1]:
                raise Unknown(i.text)
            return
        if op == 'push':
            state.public = {s for s in state.public if s[0] != 'rsp'}
        elif op == 'pop':
            self.write(state, o[0], False)  # the caller's, saved at the start
        elif op.startswith(('stos', 'movs')) and (i.repeated or 'es:' in
                                                  i.text):
            if {'rcx', 'rdi', 'rsi'} & state.secret and i.repeated:
                self.say(i, 'length or address of a secret')
        elif op in MOVES:
            self.write(state, o[0], self.is_secret(state, o[1]))
        elif op == 'lea':
            self.write(state, o[0],
                       bool(registers_of(o[1]) & state.secret))
        elif op in COMPARES:
            state.flags = any(self.is_secret(state, x) for x in o)
        elif op.startswith('cmov'):
            self.write(state, o[0], state.flags or
                       any(self.is_secret(state, x) for x in o))
        elif op.startswith('set'):
            self.write(state, o[0], state.flags)
        elif op in SETS_FLAGS or op in NO_FLAGS:
            self.arithmetic(i, state)
        elif op in ('div', 'idiv', 'mul'):
            secret = self.is_secret(state, o[0]) or 'rax' in state.secret
            if secret and op != 'mul':
                self.say(i, 'division of a secret')
            for r in ('rax', 'rdx'):
                self.write(state, r, secret)
            state.flags = secret
        elif op.startswith(('v', 'k')) or any(VECTOR.match(x) for x in o):
            self.vector(i, state)
        else:
            raise Unknown(i.text)

    def arithmetic(self, i, state):
        op, o = i.op, i.operands
        if op in ('cdqe', 'cqo', 'cdq'):
            if op != 'cdqe':
                self.write(state, 'rdx', 'rax' in state.secret)
            return
        if op in ('xor', 'sub') and len(o) == 2 and o[0] == o[1]:
            secret = False
        else:
            secret = any(self.is_secret(state, x) for x in o)
            if len(o) == 3 and o[0] in FAMILIES:  # the first is written only
                secret = any(self.is_secret(state, x) for x in o[1:])
        if op in READS_FLAGS:
            secret = secret or state.flags
        if op != 'bt':
            self.write(state, o[0], secret)
        if op in SETS_FLAGS:
            state.flags = secret

    def vector(self, i, state):
        op, o = i.op, i.operands
        if 'gather' in op or 'scatter' in op:
            self.say(i, 'gather or scatter')
        if op.startswith(('vptest', 'kortest', 'ktest', 'vucomi', 'vcomi',
                          'vtestp')) and not o[0].startswith('k'):
            state.flags = True
        if op.startswith(('kortest', 'ktest')):
            state.flags = True
        moved = op in ('vmovq', 'vmovd') and len(o) == 2
        if o and not op.startswith('k'):
            self.write(state, o[0].split('{')[0],
                       not moved or self.is_secret(state, o[1]))
        elif o and o[0] in FAMILIES:
            self.write(state, o[0], True)


def functions_of(path, report):
    text = subprocess.run(
        ['objdump', '-dr', '--no-show-raw-insn', '-M', 'intel', path],
        check=True, capture_output=True, text=True).stdout
    name, code = None, []
    for line in text.splitlines() + ['0 <end>:']:
        m = re.match(r'^[0-9a-f]+ <(.+)>:$', line)
        if m:
            if name and code:
                yield Function(name, code, report)
            name, code = m.group(1), []
            continue
        m = re.match(r'^\s*[0-9a-f]+: R_X86_64_\w+\s+([^-+]+)', line)
        if m:  # the name of what the last instruction calls
            code[-1].symbol = m.group(1)
            continue
        m = re.match(r'^\s*([0-9a-f]+):\s+(\S.*)$', line)
        if m and name:
            code.append(Instruction(int(m.group(1), 16), m.group(2)))


def main(arguments):
    public, paths = set(), []
    while arguments:
        if arguments[0] == '--public':
            public.add(arguments[1])
            arguments = arguments[2:]
        else:
            paths.append(arguments.pop(0))
    report, count, instructions = set(), 0, 0
    for path in paths:
        for f in functions_of(path, report):
            if f.name in public:
                continue
            try:
                f.run()
            except (Unknown, KeyError) as e:
                print('%s: %s: cannot follow: %s' % (path, f.name, e))
                return 2
            count += 1
            instructions += len(f.code)
    for name, address, text, what in sorted(report):
        print('%s+%x: %s: %s' % (name, address, what, text))
    if count == 0:
        print('no function found in: ' + ' '.join(paths))
        return 2
    if not report:
        print('ct: %d functions, %d instructions: no jump and no address '
              'depends on data' % (count, instructions))
    return 1 if report else 0


if __name__ == '__main__':
    if len(sys.argv) < 2:
        print(__doc__.split('\n\n')[1], file=sys.stderr)
        sys.exit(2)
    sys.exit(main(sys.argv[1:]))
