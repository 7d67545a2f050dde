// SPDX-License-Identifier: MIT
#pragma once

namespace nibble {

/// `nibblesim schema machine`: prints what a machine file may say, made from the calls that read such files; as the
/// Markdown of docs/machine.md, or as JSON Schema.
void schema_command(bool json);

}  // namespace nibble
