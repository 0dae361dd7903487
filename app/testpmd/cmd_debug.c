/* SPDX-License-Identifier: BSD-3-Clause */
/* Commands: what lies in the device and in its rings. */
#include "commands.h"
#include "table.h"

typedef unsigned long long ull;

int cmd_show_registers(struct testpmd *t, const struct args *a)
{
	return show_values(t, a, "  %-32s 0x%llx\n", "registers", plx_port_regs);
}

enum { DESCS_AT_ONCE = 32, DESCS_DEFAULT = 16 };

static void print_descs(struct table *tb, const struct plx_desc *d, uint16_t n)
{
	static const char *const owners[] = {
		[PLX_DESC_SW] = "software", [PLX_DESC_DEVICE] = "device", [PLX_DESC_DONE] = "done"};

	for (uint16_t i = 0; i < n; i++) {
		char words[4 * 18 + 1] = "";

		for (unsigned w = 0; w < d[i].n_words && w < 4; w++)
			snprintf(words + strlen(words), sizeof(words) - strlen(words), " %016llx",
				(ull)d[i].word[w]);
		table_row(tb, "%u\t%s\t%s", d[i].index,
			d[i].owner < PLX_ARRAY_SIZE(owners) ? owners[d[i].owner] : "?",
			words[0] != '\0' ? words + 1 : "");
	}
}

int cmd_show_descriptors(struct testpmd *t, const struct args *a)
{
	struct tp_port *p = a->ports[0];
	bool rx = strcmp(a->word, "rx") == 0;
	uint64_t i = a->n[0], first = a->n_n > 1 ? a->n[1] : 0,
		 left = a->n_n > 2 ? a->n[2] : DESCS_DEFAULT;
	struct table *tb;
	int err = 0;

	if (!queue_there(t, p, rx, i))
		return -1;
	tb = table_new("slot\towner\twords");
	while (left != 0) {
		struct plx_desc d[DESCS_AT_ONCE];
		uint16_t max = (uint16_t)PLX_MIN(left, (uint64_t)DESCS_AT_ONCE), n = 0;

		err = rx ? plx_rxq_descs(
				   plx_port_rxq(p->port, (uint16_t)i), (uint16_t)first, d, max, &n)
			 : plx_txq_descs(
				   plx_port_txq(p->port, (uint16_t)i), (uint16_t)first, d, max, &n);
		if (err < 0)
			break;
		print_descs(tb, d, n);
		if (n < max)
			break;
		first += n;
		left -= n;
	}
	/* the end of the ring is no error but where it begins */
	if (err < 0 && (a->n_n < 2 || first == a->n[1])) {
		table_print(tb, NULL);
		return port_complain(t, p, "descriptors");
	}
	table_print(tb, out_file(t));
	return 0;
}

int cmd_show_eeprom(struct testpmd *t, const struct args *a)
{
	struct tp_port *p = a->ports[0];
	uint64_t off = a->n_n > 0 ? a->n[0] : 0, left;
	uint32_t len;
	FILE *f = out_file(t);

	if (plx_port_eeprom_len(p->port, &len) < 0)
		return port_complain(t, p, "eeprom");
	left = a->n_n > 1 ? a->n[1] : 64;
	if (off > len || left > len - off)
		left = off > len ? 0 : len - off;
	fprintf(f, "port %u: EEPROM of %u bytes\n", port_number(t, p), len);
	while (left != 0) {
		uint8_t b[16];
		uint32_t n = (uint32_t)PLX_MIN(left, (uint64_t)sizeof(b));

		if (plx_port_eeprom_read(p->port, (uint32_t)off, b, n) < 0)
			return port_complain(t, p, "eeprom");
		fprintf(f, "  %06llx ", (ull)off);
		for (uint32_t i = 0; i < n; i++)
			fprintf(f, " %02x", b[i]);
		fputc('\n', f);
		off += n;
		left -= n;
	}
	return 0;
}
