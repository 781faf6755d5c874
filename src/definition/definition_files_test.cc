#include "src/definition/definition_files.h"

#include <gtest/gtest.h>

namespace viand::definition {
namespace {

TEST(DefinitionFiles, AFileThatImportsViand) {
  for (const char* text : {"import viand", "import viand as v\n", "# x\nfrom viand import Entity",
                           "from viand.types import Int64", "import os, viand",
                           "if True:\n  import viand.types\n", "import os\r\nimport viand\r\n"}) {
    EXPECT_TRUE(ImportsViand(text)) << text;
  }
  for (const char* text :
       {"", "import feast", "from feast import viand", "import viandante", "import viand_x",
        "x = 'import viand'", "# import viand", "from os import path  # viand"}) {
    EXPECT_FALSE(ImportsViand(text)) << text;
  }
}

TEST(DefinitionFiles, IgnoredAsFeastDoes) {
  const IgnoredPaths ignored(
      "# notes\nscratch/\n  *_old.py # comment\nsub/*.py\n**/drafts\n./one.py\n/abs.py\n[ab].py\n");
  for (const char* path : {"scratch/x.py", "scratch/deep/x.py", "a_old.py", "sub/x.py",
                           "drafts/x.py", "a/b/drafts/c/x.py", "one.py", "abs.py", "a.py"}) {
    EXPECT_TRUE(ignored.Has(path)) << path;
  }
  // A pattern begins at the repo's folder, and * stays within a name.
  for (const char* path :
       {"x/scratch/x.py", "x/a_old.py", "sub/deep/x.py", "two.py", "c.py", "notes"}) {
    EXPECT_FALSE(ignored.Has(path)) << path;
  }
  EXPECT_FALSE(IgnoredPaths("").Has("x.py"));
  EXPECT_TRUE(IgnoredPaths("**").Has("a/x.py"));
}

}  // namespace
}  // namespace viand::definition
