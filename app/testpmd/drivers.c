/* SPDX-License-Identifier: BSD-3-Clause */
/* Which drivers are built in, and which PCI devices they drive, for programs: plx-bind and plx-doctor ask. */
#include <json-c/json.h>
#include <stdio.h>

#include "plx_dev.h"
#include "testpmd.h"

static void put_id(struct json_object *o, const char *key, uint16_t id)
{
	char text[8];

	if (id == PLX_PCI_ANY)
		return;
	snprintf(text, sizeof(text), "%04x", id);
	json_object_object_add(o, key, json_object_new_string(text));
}

static struct json_object *ids_json(const struct plx_pci_id *id)
{
	struct json_object *ids = json_object_new_array();

	for (; id != NULL && (id->vendor != 0 || id->device != 0); id++) {
		struct json_object *o = json_object_new_object();

		put_id(o, "vendor", id->vendor);
		put_id(o, "device", id->device);
		put_id(o, "subvendor", id->subvendor);
		put_id(o, "subdevice", id->subdevice);
		json_object_array_add(ids, o);
	}
	return ids;
}

int drivers_print(void)
{
	const int flags =
		JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED | JSON_C_TO_STRING_NOSLASHESCAPE;
	struct json_object *root = json_object_new_object(), *list = json_object_new_array();
	bool ok;

	for (size_t i = 0; plx_driver_table[i] != NULL; i++) {
		const struct plx_driver *d = plx_driver_table[i];
		struct json_object *o = json_object_new_object();

		json_object_object_add(o, "name", json_object_new_string(d->name));
		json_object_object_add(o, "class",
			json_object_new_string(d->cls == PLX_DEV_ETH ? "net" : "block"));
		json_object_object_add(o, "help", json_object_new_string(d->help));
		json_object_object_add(o, "pci", ids_json(d->ids));
		json_object_array_add(list, o);
	}
	json_object_object_add(root, "drivers", list);
	ok = printf("%s\n", json_object_to_json_string_ext(root, flags)) > 0 && fflush(stdout) == 0;
	json_object_put(root);
	return ok ? 1 : 2;
}
