/* lib/os/files.h - whole files, for edges. */
#ifndef LIB_OS_FILES_H
#define LIB_OS_FILES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"

enum { FILES_PATH_MAX = 512 };

/* Translate number, an errno of the system: ERR_ROOM, ERR_READONLY, ERR_ACCESS,
 * ERR_KIND, ERR_FOLDER, ERR_NAME, ERR_FILES, ERR_NOMEM; else ERR_IO. A function
 * below that returns ERR_IO may return each of these. */
int files_error(int number);

/* Write the path dir/name to out. Returns 0 or ERR_LONG. */
int files_path(char out[static FILES_PATH_MAX], const char *dir,
               const char *name) CHECK_RESULT;

/* Read the file at path, of at most max bytes, into *out, which is malloc'd and
 * the caller's; a 0 follows its *len bytes. Returns 0, ERR_NOT_FOUND, ERR_LONG,
 * ERR_IO, ERR_NOMEM. */
int files_read(const char *path, size_t max, uint8_t **out,
               size_t *len) CHECK_RESULT;

/* Replace the file at path by len bytes of data, in one step that survives a
 * crash (a new file is written beside the old one, synced, renamed); mode 0600.
 * Returns 0 or ERR_IO. */
int files_write(const char *path, const void *data, size_t len) CHECK_RESULT;

/* Read or write the file `name` of the directory dir: as files_read() and
 * files_write() do, or ERR_LONG. */
int files_read_in(const char *dir, const char *name, size_t max, uint8_t **out,
                  size_t *len) CHECK_RESULT;
int files_write_in(const char *dir, const char *name, const void *data,
                   size_t len) CHECK_RESULT;

/* Write to the disk the names in the directory of the file at path. Returns 0,
 * ERR_LONG or ERR_IO. */
int files_sync_directory(const char *path) CHECK_RESULT;

/* Give the file fd room on the disk for len bytes, and that length at least: what
 * is written there later, through a map too, does not find the disk full. What
 * the file holds stays. Returns 0 or ERR_IO; the file then is as long as
 * before. */
int files_reserve(int fd, size_t len) CHECK_RESULT;

/* Make the directory path, for one user alone (0700). Returns 0, also when the
 * directory is there, or ERR_IO. */
int files_mkdir(const char *path) CHECK_RESULT;

/* Take the directory dir for this process alone, until *fd is closed or the
 * process ends. Returns 0, or ERR_AGAIN (another process has taken dir),
 * ERR_IO; *fd is -1 then. */
int files_lock(const char *dir, int *fd) CHECK_RESULT;

/* Read a secret of 32 bytes from the file at path, which has them in hex; draw
 * the secret and write the file when there is none. *key is from secret_new().
 * Returns 0, ERR_FORMAT, ERR_IO, ERR_NOMEM, .. */
int files_key(const char *path, uint8_t **key) CHECK_RESULT;

/* Print the file dir/name for people, or, when there is none, on behalf of
 * program the line `absent`. Returns the exit status. */
int files_print(const char *program, const char *dir, const char *name,
                const char *absent);

/* Write "name value\n" to fd, for the program that started this one; do nothing
 * when fd is -1. */
void files_report(int fd, const char *name, const char *value);
#endif
