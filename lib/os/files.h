/* lib/os/files.h - whole files, for edges. */
#ifndef LIB_OS_FILES_H
#define LIB_OS_FILES_H
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "lib/error.h"

enum { FILES_PATH_MAX = 512 };

/* What the system's reason (errno) is called here: ERR_ROOM, ERR_READONLY,
 * ERR_ACCESS, ERR_KIND, ERR_FOLDER, ERR_NAME, ERR_FILES, ERR_NOMEM; else ERR_IO.
 * Where a function below returns ERR_IO it may return each of these. */
int files_error(int number);

/* dir/name; returns 0 or ERR_LONG. */
int files_path(char out[static FILES_PATH_MAX], const char *dir,
               const char *name) CHECK_RESULT;

/* A file of at most max bytes, with a 0 after them; *out is malloc'd. Returns
 * 0, ERR_NOT_FOUND, ERR_LONG, ERR_IO, ERR_NOMEM. */
int files_read(const char *path, size_t max, uint8_t **out,
               size_t *len) CHECK_RESULT;

/* Replace a file in one step that survives a crash (written beside it,
 * synced, renamed); mode 0600. Returns 0 or ERR_IO. */
int files_write(const char *path, const void *data, size_t len) CHECK_RESULT;

/* See that the names in the directory of this file are on the disk. Returns 0,
 * ERR_LONG or ERR_IO. */
int files_sync_directory(const char *path) CHECK_RESULT;

/* A directory for one user alone (0700); fine when it is there. */
int files_mkdir(const char *path) CHECK_RESULT;

/* Takes the directory dir for one process, until *fd is closed or the process
 * ends. Returns 0, ERR_AGAIN (another one has it) or ERR_IO; *fd is -1 then. */
int files_lock(const char *dir, int *fd) CHECK_RESULT;

/* A secret of 32 octets in hex: read it, or draw and write it when the file is
 * not there. *key is from secret_new(). Returns 0, ERR_FORMAT, ERR_IO, .. */
int files_key(const char *path, uint8_t **key) CHECK_RESULT;

/* Print DIR/name for people; `absent` says what it means that it is not there.
 * Returns the exit status. */
int files_print(const char *program, const char *dir, const char *name,
                const char *absent);

/* Tell the program that started this one: "name value\n" to a descriptor. -1:
 * nobody wants to know. */
void files_report(int fd, const char *name, const char *value);
#endif
