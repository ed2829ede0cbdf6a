#include "engine/graph/text_table.h"

#include <gtest/gtest.h>

namespace fovea {
namespace {

using Rows = std::vector<std::vector<std::string>>;

TEST(TextTable, BreaksAtSpacesAlignsAndEndsLongWordsInAnEllipsis) {
  const std::vector<TableColumn> columns{{.header = "Name", .width = 6},
                                         {.header = "N", .width = 3, .to_the_right = true}};

  EXPECT_EQ(text_table(columns, Rows{{"a bc def", "7"}, {"abcdefg, abcdef, x", "1,234"}}),
            "┏━━━━━━━━┳━━━━━┓\n"
            "┃ Name   ┃   N ┃\n"
            "┡━━━━━━━━╇━━━━━┩\n"
            "│ a bc   │   7 │\n"
            "│ def    │     │\n"
            "├────────┼─────┤\n"
            "│ abcde… │ 1,… │\n"
            "│ abcde… │     │\n"
            "│ x      │     │\n"
            "└────────┴─────┘\n");
}

TEST(TextTable, StandsHeadersAtTheBottomAndCellsAtTheTop) {
  const std::vector<TableColumn> columns{{.header = "a b", .width = 1},
                                         {.header = "c", .width = 1}};

  EXPECT_EQ(text_table(columns, Rows{{"1", "2 3"}}),
            "┏━━━┳━━━┓\n"
            "┃ a ┃   ┃\n"
            "┃ b ┃ c ┃\n"
            "┡━━━╇━━━┩\n"
            "│ 1 │ 2 │\n"
            "│   │ 3 │\n"
            "└───┴───┘\n");
}

TEST(TextTable, CountsCharactersNotBytes) {
  const std::vector<TableColumn> columns{{.header = "ä", .width = 3}};

  EXPECT_EQ(text_table(columns, Rows{{"äöü"}, {"äöüß"}, {""}}),
            "┏━━━━━┓\n"
            "┃ ä   ┃\n"
            "┡━━━━━┩\n"
            "│ äöü │\n"
            "├─────┤\n"
            "│ äö… │\n"
            "├─────┤\n"
            "│     │\n"
            "└─────┘\n");
}

TEST(TextTable, WithoutRowsIsItsHeader) {
  const std::vector<TableColumn> columns{{.header = "a", .width = 1}};

  EXPECT_EQ(text_table(columns, Rows{}), "┏━━━┓\n┃ a ┃\n┡━━━┩\n└───┘\n");
}

}  // namespace
}  // namespace fovea
