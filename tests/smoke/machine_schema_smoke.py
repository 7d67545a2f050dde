# SPDX-License-Identifier: MIT
"""docs/machine.md is what the program says of machine files, and its JSON Schema accepts what is one."""

import copy
import glob
import json
import os
import unittest

import smoke

try:
    import jsonschema
    import yaml
except ImportError:
    jsonschema = None

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")


class Machine(smoke.Case):
    def test_reference_is_up_to_date(self):
        with open(os.path.join(ROOT, "docs", "machine.md"), encoding="utf-8") as file:
            self.assertEqual(file.read(), smoke.run("schema", "machine")[0],
                             "nibblesim schema machine > docs/machine.md")

    @unittest.skipUnless(jsonschema, "Python has no jsonschema or no PyYAML")
    def test_json_schema_tells_machines_from_others(self):
        schema = json.loads(smoke.run("schema", "machine", "--json")[0])
        validator = jsonschema.validators.validator_for(schema)
        validator.check_schema(schema)
        files = glob.glob(os.path.join(ROOT, "models", "presets", "*.yaml"))
        self.assertTrue(files)
        for path in files + glob.glob(os.path.join(ROOT, "studies", "machines", "*.yaml")):
            with open(path, encoding="utf-8") as file:
                machine = yaml.safe_load(file)
            with self.subTest(machine=path):
                validator(schema).validate(machine)
            for change in (lambda m: m.pop("clock_period_ps"), lambda m: m["scratchpad"].update(bansk=2),
                           lambda m: m["mac_array"].update(rows=0), lambda m: m["mac_array"].update(sharing="own"),
                           lambda m: m["mac_array"].update(dataflows=["row"]), lambda m: m.update(ideal_memory="no")):
                wrong = copy.deepcopy(machine)
                change(wrong)
                self.assertFalse(validator(schema).is_valid(wrong))


if __name__ == "__main__":
    smoke.main()
