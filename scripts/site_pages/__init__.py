"""The sources of the documentation site: pages of the repository as they are (`places`, `links`), what the program
says of itself (`commands`, `outputs`, `recipes`, `data_sets`, `models`, `python`, `words`), and the `menu` of both."""
