/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * Packets out of a capture file.
 *
 * libpcap judges the beginning of every file (magic, version, link type, byte order) and reads pcapng.
 * The records of a classic pcap, a header of 16 bytes and the packet, are stepped through here: libpcap's
 * two calls of stdio and a copy for each packet are more than half of what a small one costs.
 * (The format: IETF draft-ietf-opsawg-pcap, sections 4 and 5; pcapng: draft-ietf-opsawg-pcapng.)
 *
 * Nothing the file says is believed: a record must be in the buffer, or it is the end of the file and
 * a fault; no memory is sized by a length in the file. libpcap's buffer for pcapng grows with the
 * blocks, up to its limit of 16 MiB for one.
 */
#include <fcntl.h>
#include <pcap/pcap.h>
#include <stdio.h>
#include <stdio_ext.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pcap_pmd.h"

#define FILE_HDR 24u /* of a classic file */
#define NG_IOBUF (64u * 1024)

#define MAGIC_MICRO 0xa1b2c3d4u
#define MAGIC_NANO  0xa1b23c4du

/* ---- bytes ---- */

/* read(2) until something comes: bytes, 0 at the end, -errno. */
static ssize_t read_some(int fd, void *buf, size_t n)
{
	ssize_t got;

	do
		got = read(fd, buf, n);
	while (got < 0 && errno == EINTR);
	return got < 0 ? -errno : got;
}

/* Makes the buffer hold want bytes behind pos, or all there are. @return bytes there are, -errno. */
static ssize_t fill(struct capt_file *f, size_t want)
{
	if (f->len - f->pos < want && f->pos > 0) {
		memmove(f->buf, f->buf + f->pos, f->len - f->pos);
		f->len -= f->pos;
		f->pos = 0;
	}
	while (f->len - f->pos < want) {
		ssize_t got = read_some(f->fd, f->buf + f->len, CAPT_BUF - f->len);

		if (got < 0)
			return got;
		if (got == 0)
			break;
		f->len += (size_t)got;
	}
	return (ssize_t)(f->len - f->pos);
}

/* The packet that comes next, for messages. */
static unsigned long long number(const struct capt_file *f)
{
	return (unsigned long long)f->n + 1;
}

static int read_error(struct capt_file *f, int err)
{
	return plx_err(-err, "%s: reading packet %llu: %s", f->name, number(f), strerror(-err));
}

static int cut(struct capt_file *f, const char *what, unsigned want, unsigned have)
{
	return plx_err(EBADMSG,
		"%s: packet %llu: the file ends inside the %s: %u of %u bytes; the capture was not "
		"finished or not copied whole",
		f->name, number(f), what, have, want);
}

/* ---- classic records ---- */

/* Steps over a packet that is too long to be one, making sure that it is there. */
static int skip(struct capt_file *f, struct capt_pkt *p)
{
	uint32_t left = p->caplen;

	f->pos += CAPT_REC_HDR;
	while (left > 0) {
		ssize_t have = fill(f, 1);
		uint32_t step;

		if (have < 0)
			return read_error(f, (int)have);
		if (have == 0)
			return cut(f, "packet", p->caplen, p->caplen - left);
		step = (uint32_t)PLX_MIN((size_t)have, (size_t)left);
		f->pos += step;
		left -= step;
	}
	p->data = NULL;
	f->n++;
	return 1;
}

int capt_file_next_slow(struct capt_file *f, struct capt_pkt *p)
{
	ssize_t have = fill(f, CAPT_REC_HDR);

	if (have < 0)
		return read_error(f, (int)have);
	if (have == 0)
		return 0;
	if (have < (ssize_t)CAPT_REC_HDR)
		return cut(f, "packet's header", CAPT_REC_HDR, (unsigned)have);
	capt_rec_parse(f->buf + f->pos, f->swapped, f->frac_ns, p);
	if (p->caplen > CAPT_CAPLEN_MAX)
		return plx_err(EBADMSG,
			"%s: packet %llu claims %u captured bytes, none has more than %u: the file is "
			"damaged here",
			f->name, number(f), p->caplen, CAPT_CAPLEN_MAX);
	if (p->caplen > PLX_PKT_LEN_MAX)
		return skip(f, p);
	have = fill(f, CAPT_REC_HDR + p->caplen);
	if (have < 0)
		return read_error(f, (int)have);
	if (have < (ssize_t)(CAPT_REC_HDR + p->caplen))
		return cut(f, "packet", p->caplen, (unsigned)have - CAPT_REC_HDR);
	p->data = f->buf + f->pos + CAPT_REC_HDR;
	f->pos += CAPT_REC_HDR + p->caplen;
	f->n++;
	return 1;
}

/* ---- by libpcap ---- */

/* What its stdio reads: what open looked at, then the file. */
static ssize_t cookie_read(void *arg, char *buf, size_t n)
{
	struct capt_file *f = arg;
	ssize_t got = (ssize_t)PLX_MIN(n, f->len - f->pos);

	if (got > 0) {
		memcpy(buf, f->buf + f->pos, (size_t)got);
		f->pos += (size_t)got;
		return got;
	}
	got = read_some(f->fd, buf, n);
	if (got >= 0)
		return got;
	f->io_errno = (int)-got;
	errno = f->io_errno;
	return -1;
}

static void libpcap_close(struct capt_file *f)
{
	if (f->pcap != NULL)
		pcap_close(f->pcap);
	f->pcap = NULL;
}

static int check_link(struct capt_file *f, pcap_t *p)
{
	int link = pcap_datalink(p);
	const char *name = pcap_datalink_val_to_name(link);
	const char *text = pcap_datalink_val_to_description(link);

	if (link == DLT_EN10MB)
		return 0;
	return plx_err(EPROTONOSUPPORT,
		"%s: link type %s (%s), number %d: ports read Ethernet (EN10MB) alone; capture on one "
		"Ethernet interface (not 'any'), or convert it with tcprewrite --dlt=enet",
		f->name, name != NULL ? name : "unknown", text != NULL ? text : "no description",
		link);
}

/* Opens a stream as libpcap does; the stream is closed with the result, or on an error. */
static int libpcap_open(struct capt_file *f, FILE *stream, pcap_t **out)
{
	char why[PCAP_ERRBUF_SIZE] = "";
	pcap_t *p;
	int err;

	if (stream == NULL)
		return plx_err(ENOMEM, "%s: no memory for reading it", f->name);
	p = pcap_fopen_offline_with_tstamp_precision(stream, PCAP_TSTAMP_PRECISION_NANO, why);
	if (p == NULL) {
		fclose(stream);
		return f->io_errno != 0 ? read_error(f, -f->io_errno)
					: plx_err(EBADMSG, "%s: is no capture that can be read: %s",
						  f->name, why);
	}
	err = check_link(f, p);
	if (err < 0) {
		pcap_close(p);
		return err;
	}
	*out = p;
	return 0;
}

static int open_ng(struct capt_file *f)
{
	const cookie_io_functions_t io = {.read = cookie_read};
	FILE *stream = fopencookie(f, "r", io);
	pcap_t *p = NULL;
	int err;

	if (f->iobuf == NULL)
		f->iobuf = malloc(NG_IOBUF);
	if (stream != NULL && f->iobuf != NULL)
		setvbuf(stream, f->iobuf, _IOFBF, NG_IOBUF);
	if (stream != NULL)
		__fsetlocking(stream, FSETLOCKING_BYCALLER);
	err = libpcap_open(f, stream, &p);
	f->pcap = p;
	return err;
}

/*
 * A whole file may be beyond libpcap: interfaces that differ in link type or snap length, sections
 * that differ in byte order, which looks like a damaged block.
 */
static const char *remedy(const char *why)
{
	if (strstr(why, "truncated") != NULL)
		return "";
	return "; if Wireshark reads the file, rewrite it with editcap -F pcap IN OUT";
}

int capt_file_next_libpcap(struct capt_file *f, struct capt_pkt *p)
{
	struct pcap_pkthdr *h;
	const u_char *data;
	int got = pcap_next_ex(f->pcap, &h, &data);

	if (got == PCAP_ERROR_BREAK)
		return 0;
	if (got != 1 && f->io_errno != 0)
		return read_error(f, -f->io_errno);
	if (got != 1)
		return plx_err(EBADMSG, "%s: packet %llu: %s%s", f->name, number(f),
			pcap_geterr(f->pcap), remedy(pcap_geterr(f->pcap)));
	p->ts = (uint64_t)h->ts.tv_sec * UINT64_C(1000000000) + (uint64_t)h->ts.tv_usec;
	p->caplen = h->caplen;
	p->len = h->len;
	p->data = h->caplen <= PLX_PKT_LEN_MAX ? data : NULL;
	f->n++;
	return 1;
}

/* ---- the file ---- */

void capt_short_name(char *name, size_t size, const char *path)
{
	size_t len = strlen(path);

	/* its end tells more than its beginning */
	if (len < size)
		memcpy(name, path, len + 1);
	else
		snprintf(name, size, "...%s", path + len - size + 4);
}

/* Looks at the beginning and finds who reads it. */
static int begin(struct capt_file *f)
{
	ssize_t have = fill(f, FILE_HDR);
	pcap_t *p = NULL;
	uint32_t magic;
	bool micro;
	int err;

	if (have < 0)
		return plx_err((int)-have, "%s: cannot be read: %s", f->name, strerror((int)-have));
	if (have == 0)
		return plx_err(EBADMSG, "%s: is empty, not even a file header is there", f->name);
	magic = have >= 4 ? plx_load_le32(f->buf) : 0;
	f->swapped =
		magic == __builtin_bswap32(MAGIC_MICRO) || magic == __builtin_bswap32(MAGIC_NANO);
	magic = f->swapped ? __builtin_bswap32(magic) : magic;
	micro = magic == MAGIC_MICRO;
	f->classic = micro || magic == MAGIC_NANO;
	f->frac_ns = micro ? 1000 : 1;
	if (!f->classic)
		return open_ng(f);
	err = libpcap_open(f, fmemopen(f->buf, PLX_MIN((size_t)have, (size_t)FILE_HDR), "r"), &p);
	if (err < 0)
		return err;
	pcap_close(p);
	f->pos = FILE_HDR;
	return 0;
}

int capt_file_open(struct capt_file *f, const char *path)
{
	struct stat st;
	bool std = strcmp(path, "-") == 0;

	f->fd = -1;
	capt_short_name(f->name, sizeof(f->name), path);
	f->fd = std ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
	if (f->fd < 0 || fstat(f->fd, &st) != 0)
		return plx_err(
			errno, "%s: cannot be opened for reading: %s", f->name, strerror(errno));
	f->regular = S_ISREG(st.st_mode);
	if (f->regular && flock(f->fd, LOCK_SH | LOCK_NB) != 0 && errno == EWOULDBLOCK)
		return plx_err(EBUSY,
			"%s: is being written by another port or program; read it when that is closed",
			f->name);
	f->buf = malloc(CAPT_BUF);
	if (f->buf == NULL)
		return plx_err(ENOMEM, "%s: no memory for reading it", f->name);
	return begin(f);
}

int capt_file_rewind(struct capt_file *f)
{
	if (!f->regular)
		return plx_err(ESPIPE,
			"%s: is no regular file and cannot be read again; use preload=1", f->name);
	if (lseek(f->fd, f->classic ? FILE_HDR : 0, SEEK_SET) < 0)
		return plx_err(errno, "%s: cannot be read again: %s", f->name, strerror(errno));
	f->pos = f->len = 0;
	f->n = 0;
	f->io_errno = 0;
	if (f->classic)
		return 0;
	libpcap_close(f);
	return open_ng(f);
}

void capt_file_close(struct capt_file *f)
{
	libpcap_close(f);
	free(f->iobuf);
	free(f->buf);
	if (f->fd >= 0)
		close(f->fd);
	f->iobuf = NULL;
	f->buf = NULL;
	f->fd = -1;
}
