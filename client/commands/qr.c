/* client/commands/qr.c - see qr.h. No state. The quiet zone is four modules wide, as the
 * standard wants it; of errors a quarter of the code's words may be unreadable (Q), so that
 * a photograph of a screen is good enough. Failure modes: no memory; what the output says is
 * for who closes it. */
#include "client/commands/qr.h"

#include <qrencode.h>
#include <stdbool.h>

enum { QUIET = 4, BLACK = 1 };

static QRcode *
code_make(const char *text)
{
    return QRcode_encodeString8bit(text, 0, QR_ECLEVEL_Q);
}

/* Is the module black? Beyond the code none is. */
static bool
is_black(const QRcode *code, int x, int y)
{
    return x >= 0 && y >= 0 && x < code->width && y < code->width &&
           code->data[y * code->width + x] & BLACK;
}

int
qr_terminal(FILE *out, const char *text)
{
    static const char *const halves[] = {" ", "\xe2\x96\x84", "\xe2\x96\x80",
                                         "\xe2\x96\x88"};
    QRcode *code = code_make(text);
    if (!code)
        return ERR_NOMEM;
    for (int y = -QUIET; y < code->width + QUIET; y += 2) {
        fputs("\x1b[30;107m", out); /* black on white */
        for (int x = -QUIET; x < code->width + QUIET; x++)
            fputs(halves[2 * is_black(code, x, y) + is_black(code, x, y + 1)],
                  out);
        fputs("\x1b[0m\n", out);
    }
    QRcode_free(code);
    return 0;
}

int
qr_svg(FILE *out, const char *text)
{
    QRcode *code = code_make(text);
    if (!code)
        return ERR_NOMEM;
    const int side = code->width + 2 * QUIET;
    fprintf(out,
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" "
            "width=\"%d\" height=\"%d\" shape-rendering=\"crispEdges\">\n"
            "<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<path d=\"",
            side, side, 8 * side, 8 * side, side, side);
    for (int y = 0; y < code->width; y++)
        for (int x = 0; x < code->width; x++)
            if (is_black(code, x, y))
                fprintf(out, "M%d %dh1v1h-1z", x + QUIET, y + QUIET);
    fputs("\"/>\n</svg>\n", out);
    QRcode_free(code);
    return 0;
}
