"""Pictures, options and choices in the schema."""

import strawberry

from gqlstock.rules import catalog as rules


@strawberry.type(description="A picture.")
class Image:
    url: str = strawberry.field(description="Where it is.")
    alt: str | None = strawberry.field(description="What it shows, for those who cannot see it.")

    @classmethod
    def of(cls, image: rules.Image) -> "Image":
        return cls(url=image.url, alt=image.alt)


@strawberry.type(description="A value that an option can have, such as Red.")
class ProductOptionValue:
    name: str = strawberry.field(description="Unique within the option.")
    images: list[Image] = strawberry.field(description="Pictures shown once it is chosen.")


@strawberry.type(description="An option of a product, such as Color.")
class ProductOption:
    name: str = strawberry.field(description="Unique within the product.")
    inventory: bool = strawberry.field(
        description="Whether this option is part of the combinations (the Inventory checkbox)."
    )
    values: list[ProductOptionValue] = strawberry.field(description="What can be chosen.")

    @classmethod
    def of(cls, option: rules.Option) -> "ProductOption":
        values = [
            ProductOptionValue(name=value.name, images=[Image.of(image) for image in value.images])
            for value in option.values
        ]
        return cls(name=option.name, inventory=option.inventory, values=values)


@strawberry.type(description="One option with the value that was chosen.")
class SelectedOption:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")

    @classmethod
    def listed(cls, choice: rules.Choice) -> list["SelectedOption"]:
        return [cls(name=name, value=value) for name, value in choice.items()]


@strawberry.input(description="One option with the value to choose.")
class SelectedOptionInput:
    name: str = strawberry.field(description="The option's name.")
    value: str = strawberry.field(description="The value's name.")


@strawberry.type(description="A value of an option, as the picker shows it.")
class OptionChoiceValue:
    name: str = strawberry.field(description="The value's name.")
    selected: bool = strawberry.field(description="Whether it is chosen.")
    exists: bool = strawberry.field(description="Whether there is such a combination with the rest of the choice.")
    orderable: bool = strawberry.field(description="Whether one of those can be ordered.")


@strawberry.type(description="An option, as the picker shows it.")
class OptionChoice:
    name: str = strawberry.field(description="The option's name.")
    values: list[OptionChoiceValue] = strawberry.field(description="What can be chosen.")
