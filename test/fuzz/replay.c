/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay DIR: gives every file of a corpus to a fuzz target, and its beginnings, each in a block of
 * exactly its size, so that a read past the end shows under AddressSanitizer and valgrind. TAP.
 */
#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MANY 200 /* beginnings of a file, at most */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size != 0 ? size : 1);

	if (copy == NULL)
		return -ENOMEM;
	memcpy(copy, data, size);
	LLVMFuzzerTestOneInput(copy, size);
	free(copy);
	return 0;
}

static int run_beginnings(const uint8_t *data, size_t size)
{
	size_t step = size / MANY + 1;
	int err = run(data, size);

	for (size_t n = 0; n < size && err == 0; n += step)
		err = run(data, n);
	return err;
}

static int run_file(const char *path)
{
	FILE *f = fopen(path, "rb");
	uint8_t *data = NULL;
	long size = -1;
	int err = -EIO;

	if (f == NULL)
		return -errno;
	if (fseek(f, 0, SEEK_END) == 0)
		size = ftell(f);
	if (size >= 0 && fseek(f, 0, SEEK_SET) == 0)
		data = malloc((size_t)size + 1);
	if (data != NULL && fread(data, 1, (size_t)size, f) == (size_t)size)
		err = run_beginnings(data, (size_t)size);
	free(data);
	fclose(f);
	return err;
}

int main(int argc, char **argv)
{
	DIR *dir = argc == 2 ? opendir(argv[1]) : NULL;
	struct dirent *entry;
	char path[4096];
	unsigned n = 0, failed = 0;

	if (dir == NULL) {
		fprintf(stderr, "usage: replay DIR\n");
		return 2;
	}
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", argv[1], entry->d_name);
		int err = run_file(path);
		failed += err != 0;
		printf("%sok %u - %s\n", err != 0 ? "not " : "", ++n, entry->d_name);
		if (err != 0)
			printf("# %s\n", strerror(-err));
		fflush(stdout);
	}
	closedir(dir);
	printf("1..%u\n", n);
	return failed != 0 || n == 0;
}
