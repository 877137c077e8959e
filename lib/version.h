/* lib/version.h - the version of all programs. */
#ifndef LIB_VERSION_H
#define LIB_VERSION_H
#define BRUSIO_VERSION "0.2.0"
#endif
