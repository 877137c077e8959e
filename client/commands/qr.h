/* client/commands/qr.h - pictures of a line for the camera of who stands beside: QR codes
 * (ISO/IEC 18004) of libqrencode, for a terminal and as SVG. */
#ifndef CLIENT_COMMANDS_QR_H
#define CLIENT_COMMANDS_QR_H
#include <stdio.h>

#include "lib/error.h"

/* Write text, which is short, to out, two modules a character, black on white whatever
 * the terminal's colours are. Returns 0 or ERR_NOMEM. */
int qr_terminal(FILE *out, const char *text) CHECK_RESULT;

/* Write an SVG of text to out. Returns 0 or ERR_NOMEM. */
int qr_svg(FILE *out, const char *text) CHECK_RESULT;
#endif
